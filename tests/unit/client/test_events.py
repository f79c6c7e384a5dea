"""Events are courteous: they never fail the caller, they count repeats, they do not flood."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from api.types import core_v1, meta_v1
from client.events import EventRecorder
from client.kubeconfig import Config
from client.rest import Client
from tests.unit.client.fake_api import FakeApi, serve


def pod(name: str = "web") -> core_v1.Pod:
    return core_v1.Pod(metadata=meta_v1.ObjectMeta(name=name, namespace="default", uid=f"uid-{name}"))


def stored(api: FakeApi) -> list[dict[str, Any]]:
    return [obj for (path, _), obj in api.objects.items() if path.endswith("/events")]


async def test_an_event_says_who_what_and_when() -> None:
    async with serve() as api, Client(Config(api.url)) as client:
        recorder = EventRecorder(client, "tester", "host-1")
        recorder.event(pod(), "Normal", "Pulled", "there it is")
        await recorder.close()
        (event,) = stored(api)
        assert event["involvedObject"] == {
            "apiVersion": "v1", "kind": "Pod", "name": "web", "namespace": "default", "uid": "uid-web"
        }  # fmt: skip
        assert (event["type"], event["reason"], event["message"]) == ("Normal", "Pulled", "there it is")
        assert event["source"] == {"component": "tester", "host": "host-1"}
        assert event["count"] == 1
        assert event["firstTimestamp"] == event["lastTimestamp"]
        assert event["metadata"]["namespace"] == "default"
        assert "." not in event["firstTimestamp"]


async def test_a_repeat_counts_up_and_others_do_not() -> None:
    async with serve() as api, Client(Config(api.url)) as client:
        recorder = EventRecorder(client, "tester")
        for _ in range(3):
            recorder.event(pod(), "Warning", "BackOff", "again")
        recorder.event(pod("other"), "Warning", "BackOff", "again")
        recorder.event(pod(), "Warning", "BackOff", "something else")
        await recorder.close()
        assert sorted(event["count"] for event in stored(api)) == [1, 1, 3]


async def test_an_event_of_a_series_takes_the_place_of_the_last() -> None:
    async with serve() as api, Client(Config(api.url)) as client:
        recorder = EventRecorder(client, "tester")
        recorder.event(pod(), "Normal", "Pulling", "it begins")
        for percent in range(40):  # more than may be said of one object otherwise
            recorder.event(pod(), "Normal", "Pulling", f"{percent}%", series="progress")
        recorder.event(pod(), "Normal", "Pulled", "done")
        await recorder.close()
        told = {event["message"]: event["count"] for event in stored(api)}
        assert told == {"it begins": 1, "39%": 40, "done": 1}


async def test_a_repeat_of_an_event_that_was_deleted_is_written_anew() -> None:
    async with serve() as api, Client(Config(api.url)) as client:
        recorder = EventRecorder(client, "tester")
        recorder.event(pod(), "Warning", "BackOff", "again")
        async with asyncio.timeout(5):
            while not stored(api):  # noqa: ASYNC110 - nothing to wait on in the fake
                await asyncio.sleep(0.01)
        api.objects.clear()
        recorder.event(pod(), "Warning", "BackOff", "again")
        await recorder.close()
        assert len(stored(api)) == 1


async def test_one_noisy_object_is_muted_and_the_others_are_heard() -> None:
    async with serve() as api, Client(Config(api.url)) as client:
        recorder = EventRecorder(client, "tester")
        for number in range(60):
            recorder.event(pod("noisy"), "Warning", "Bad", f"number {number}")
        recorder.event(pod("quiet"), "Normal", "Good", "hello")
        await recorder.close()
        about = [event["involvedObject"]["name"] for event in stored(api)]
        assert about.count("noisy") == 25
        assert about.count("quiet") == 1


async def test_a_server_that_is_away_costs_a_delay_and_one_that_refuses_costs_the_event() -> None:
    api = FakeApi()
    async with serve(api=api):
        port = int(api.url.rsplit(":", 1)[1])
    async with Client(Config(api.url)) as client:
        recorder = EventRecorder(client, "tester")
        recorder.event(pod(), "Normal", "One", "while away")
        await asyncio.sleep(0.05)
        async with serve(port, api):
            async with asyncio.timeout(5):
                while not stored(api):  # noqa: ASYNC110 - nothing to wait on in the fake
                    await asyncio.sleep(0.01)
            api.fail = [web.json_response({"kind": "Status", "code": 403, "reason": "Forbidden"}, status=403)]
            recorder.event(pod(), "Normal", "Two", "refused")
            recorder.event(pod(), "Normal", "Three", "taken")
            await recorder.close()
            assert sorted(event["reason"] for event in stored(api)) == ["One", "Three"]
