"""Creating and deleting pods when the API server answers, refuses, or is not there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from api import errors
from api.types import core_v1
from client.events import EventRecorder
from client.kubeconfig import Config
from client.rest import Client, Unreachable
from controllers import objects
from controllers.expectations import Expectations
from controllers.replicaset.pods import PodControl, pod_of
from tests.harness.process import free_port
from tests.unit.client.fake_api import FakeApi, serve
from tests.unit.controllers.make import pod, replica_set

PODS = "/api/v1/namespaces/default/pods"
OWNER = replica_set("web-1")
UID = objects.uid(OWNER)


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with serve() as running:
        yield running


class Control(PodControl):
    """With its parts at hand."""

    def __init__(self, client: Client) -> None:
        self.expected = Expectations()
        self.recorder = EventRecorder(client, "test")
        super().__init__(client, self.recorder, self.expected)

    @property
    def waits(self) -> bool:
        return self.expected.wait(UID, time.monotonic()) > 0


async def names(client: Client) -> set[str]:
    return {objects.name(each) for each in (await client.list(core_v1.Pod, "default")).items}


async def test_pods_are_made_and_waited_for(api: FakeApi) -> None:
    async with Client(Config(api.url)) as client:
        control = Control(client)
        assert await control.create(OWNER, 10) is None
        made = await names(client)
        assert len(made) == 10
        assert all(name.startswith("web-1-") for name in made)
        for name in made:
            assert control.waits
            control.expected.created(UID, name)
        assert not control.waits
        await control.recorder.close()


async def test_a_refusal_ends_it_after_one_request(api: FakeApi) -> None:
    refusal = errors.Forbidden("pods", "web-1-x", "exceeded quota")
    async with Client(Config(api.url)) as client:
        control = Control(client)
        api.fail = [web.json_response(refusal.status(), status=403)]
        failure = await control.create(OWNER, 10)
        assert isinstance(failure, errors.Forbidden)
        assert not control.waits
        assert control.expected.doubtful_creations(UID) == []
        assert await names(client) == set()
        await control.recorder.close()


async def test_lost_names_stay_doubtful_through_an_outage() -> None:
    """Each try gives up after its first request; those that it did not come to may still be there."""
    async with Client(Config(f"http://127.0.0.1:{free_port()}")) as client:
        control = Control(client)
        control.expected.expect_creations(UID, ["a", "b", "c", "d"], 0)
        for name in ("a", "b", "c", "d"):
            control.expected.creation_in_doubt(UID, name)
        for _ in range(3):
            assert isinstance(await control.create(OWNER, 7), Unreachable)
            assert {"a", "b", "c", "d"} <= set(control.expected.doubtful_creations(UID))
            assert not control.waits
        # A name of which it is known that it was never sent is not kept; one a try was sent, as far as anybody knows.
        assert len(control.expected.doubtful_creations(UID)) == 4
        await control.recorder.close(0)


async def test_a_doubtful_pod_that_is_there_is_not_made_twice(api: FakeApi) -> None:
    async with Client(Config(api.url)) as client:
        control = Control(client)
        await client.create(pod_of(OWNER, "web-1-lost"))
        control.expected.expect_creations(UID, ["web-1-lost"], 0)
        control.expected.creation_in_doubt(UID, "web-1-lost")
        assert await control.create(OWNER, 3) is None
        made = await names(client)
        assert len(made) == 3
        assert "web-1-lost" in made
        await control.recorder.close()


async def test_anothers_pod_of_that_name_is_avoided(api: FakeApi) -> None:
    async with Client(Config(api.url)) as client:
        control = Control(client)
        await client.create(pod_of(replica_set("other"), "web-1-lost"))
        control.expected.expect_creations(UID, ["web-1-lost"], 0)
        control.expected.creation_in_doubt(UID, "web-1-lost")
        assert await control.create(OWNER, 1) is None
        assert len(await names(client)) == 2
        await control.recorder.close()


async def test_deleting_what_is_gone_is_no_failure(api: FakeApi) -> None:
    async with Client(Config(api.url)) as client:
        control = Control(client)
        await client.create(pod_of(OWNER, "there"))
        (there,) = (await client.list(core_v1.Pod, "default")).items
        assert await control.delete(OWNER, [there, pod("gone")]) is None
        assert await names(client) == set()
        assert control.waits
        control.expected.deleted(UID, objects.uid(there))
        assert not control.waits
        await control.recorder.close()


async def test_a_lost_deletion_is_doubtful() -> None:
    async with Client(Config(f"http://127.0.0.1:{free_port()}")) as client:
        control = Control(client)
        victim = pod("victim")
        assert isinstance(await control.delete(OWNER, [victim]), Unreachable)
        assert control.expected.doubtful_deletions(UID) == {objects.uid(victim)}
        assert not control.waits
        await control.recorder.close(0)
