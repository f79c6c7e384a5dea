"""etcd and the API server are killed: what fails meanwhile says why, and everything goes on by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, Api, config_map, connect


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """One for each test: these break it."""
    with ControlPlane(tmp_path) as running:
        yield running


@pytest.fixture
async def api(plane: ControlPlane) -> AsyncIterator[Api]:
    async with connect(plane) as client:
        client.namespace = "default"
        yield client


async def wait_until_served(api: Api) -> None:
    """Until a read that needs etcd is answered."""
    for _ in range(300):
        if (await api.get(f"{CORE}/namespaces")).code == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("not served again in time")


async def test_without_etcd_requests_fail_soon_and_say_why(api: Api, plane: ControlPlane) -> None:
    await api.create("configmaps", config_map())
    assert plane.etcd is not None
    plane.etcd.process.kill()
    begun = time.monotonic()
    for answer in (
        await api.get(api.path("configmaps", "one")),
        await api.get(api.path("configmaps")),
        await api.create("configmaps", config_map("two")),
        await api.patch(api.path("configmaps", "one"), {"data": {"a": "b"}}),
        await api.delete(api.path("configmaps", "one")),
    ):
        assert answer.code in (500, 503)
        assert "etcd" in answer.message
    assert time.monotonic() - begun < 10
    stale = await api.get(api.path("configmaps") + "?resourceVersion=0")
    assert stale.names == ["one"]
    assert (await api.get("/livez")).code == 200
    readiness = await api.get("/readyz")
    assert readiness.code == 500
    assert "[-]etcd failed" in readiness.body


async def test_after_etcd_is_back_watches_go_on_and_nothing_is_missed(api: Api, plane: ControlPlane) -> None:
    version = (await api.get(api.path("configmaps"))).version
    assert plane.etcd is not None
    async with api.watch(api.path("configmaps"), f"&resourceVersion={version}") as events:
        await api.create("configmaps", config_map("before"))
        plane.etcd.process.kill()
        plane.etcd.start()
        await wait_until_served(api)
        made = await api.create("configmaps", config_map("after"))
        assert made.code == 201, made.message
        assert await events.take(2) == [("ADDED", "before"), ("ADDED", "after")]


async def test_writes_that_were_answered_survive_etcds_death(api: Api, plane: ControlPlane) -> None:
    answered: list[str] = []
    enough = asyncio.Event()

    async def write(index: int) -> None:
        if (await api.create("configmaps", config_map(f"c{index}"))).code == 201:
            answered.append(f"c{index}")
        if len(answered) == 20:
            enough.set()

    assert plane.etcd is not None
    writing = [asyncio.create_task(write(index)) for index in range(200)]
    await enough.wait()
    plane.etcd.process.kill()
    await asyncio.gather(*writing)
    plane.etcd.start()
    await wait_until_served(api)
    assert set(answered) <= set((await api.get(api.path("configmaps"))).names)


async def test_a_killed_server_comes_back_with_everything(api: Api, plane: ControlPlane) -> None:
    first = await api.create("configmaps", config_map())
    second = await api.patch(api.path("configmaps", "one"), {"data": {"a": "b"}})
    plane.apiserver.kill()
    plane.start_apiserver()
    assert (await api.get(api.path("configmaps", "one"))).body == second.body
    async with api.watch(api.path("configmaps"), f"&resourceVersion={first.version}") as events:
        (event,) = await events.rest()  # what happened before its start a server does not know
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith(f"too old resource version: {first.version} (")
    listed = await api.get(api.path("configmaps"))
    async with api.watch(api.path("configmaps"), f"&resourceVersion={listed.version}") as events:
        await api.create("configmaps", config_map("two"))
        assert await events.take(1) == [("ADDED", "two")]


async def test_a_server_that_is_asked_to_stop_ends_its_watches(api: Api, plane: ControlPlane) -> None:
    async with api.watch(api.path("configmaps")) as events:
        begun = time.monotonic()
        stopping = asyncio.create_task(asyncio.to_thread(plane.apiserver.stop))
        await events.rest()
        assert await stopping == 0
    assert time.monotonic() - begun < 5


async def test_two_servers_on_one_etcd(api: Api, plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> None:
    with ControlPlane(tmp_path_factory.mktemp("second"), etcd_url=plane.etcd_url) as second:
        async with connect(second) as other:
            other.namespace = "default"
            version = (await other.get(other.path("configmaps"))).version
            async with other.watch(other.path("configmaps"), f"&resourceVersion={version}") as events:
                for index in range(10):
                    await api.create("configmaps", config_map(f"c{index}"))
                    assert f"c{index}" in (await other.get(other.path("configmaps"))).names  # at once: linearizable
                assert [name for _, name in await events.take(10)] == [f"c{index}" for index in range(10)]
            both = [
                client.patch(client.path("configmaps", "c0"), {"data": {f"k{i}": "v"}})
                for i in range(5)
                for client in (api, other)
            ]
            assert {answer.code for answer in await asyncio.gather(*both)} == {200}
