"""Two API servers on one etcd: no write is lost, and a watcher on either sees every write once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import JSON_PATCH, Api, Events, config_map, connect

Pair = tuple[ControlPlane, ControlPlane]

WRITERS, TIMES = 4, 25
"""Writers on each server, and how often each counts up."""
TOTAL = 2 * WRITERS * TIMES


@pytest.fixture(scope="module")
def planes(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with ControlPlane(tmp_path_factory.mktemp("second"), etcd_url=plane.etcd_url) as second:
        yield plane, second


async def _count_up(api: Api, path: str) -> int:
    """Count up by optimistic concurrency; how often others were faster."""
    lost = 0
    for _ in range(TIMES):
        while True:
            obj = (await api.get(path)).body
            obj["data"]["count"] = str(int(obj["data"]["count"]) + 1)
            answer = await api.send("PUT", path, obj)
            if answer.code == 200:
                break
            assert (answer.code, answer.reason) == (409, "Conflict"), answer.message
            lost += 1
    return lost


async def _count_up_by_patch(api: Api, path: str) -> None:
    """The same by JSON patches that test what they replace."""
    for _ in range(TIMES):
        while True:
            count = (await api.get(path)).body["data"]["count"]
            test = {"op": "test", "path": "/data/count", "value": count}
            replace = {"op": "replace", "path": "/data/count", "value": str(int(count) + 1)}
            answer = await api.patch(path, [test, replace], JSON_PATCH)
            if answer.code == 200:
                break
            assert answer.code in (409, 422), answer.message


async def _follow(events: Events) -> list[tuple[int, int]]:
    """Version and count of each event until the last count."""
    seen: list[tuple[int, int]] = []
    while not seen or seen[-1][1] < TOTAL:
        event = await events.next(30)
        assert event["type"] in ("ADDED", "MODIFIED")
        seen.append((int(event["object"]["metadata"]["resourceVersion"]), int(event["object"]["data"]["count"])))
    return seen


@pytest.mark.parametrize("how", ["update", "patch"])
async def test_counting_up_on_both_loses_nothing(planes: Pair, how: str) -> None:
    async with AsyncExitStack() as stack:
        apis = [await stack.enter_async_context(connect(each)) for each in planes]
        namespace = apis[1].namespace = apis[0].namespace
        assert (await apis[0].send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})).code == 201
        made = await apis[0].create("configmaps", config_map("counter", data={"count": "0"}))
        path, query = apis[0].path("configmaps", "counter"), f"&resourceVersion={made.version}"
        all_of_them = apis[0].path("configmaps")
        streams = [await stack.enter_async_context(api.watch(all_of_them, query)) for api in apis]
        watchers = [asyncio.create_task(_follow(events)) for events in streams]
        count_up = _count_up if how == "update" else _count_up_by_patch
        await asyncio.gather(*(count_up(api, path) for api in apis for _ in range(WRITERS)))
        assert [(await api.get(path)).body["data"]["count"] for api in apis] == [str(TOTAL)] * 2
        one, other = await asyncio.gather(*watchers)
    assert one == other
    assert [count for _, count in one] == list(range(1, TOTAL + 1))
    assert one == sorted(one)


async def test_what_one_server_has_answered_the_other_shows(planes: Pair) -> None:
    """A read without a version is never older than any answered write, whichever server answered it."""
    first, second = planes
    async with connect(first) as one, connect(second) as two:
        two.namespace = one.namespace
        await one.send("POST", "/api/v1/namespaces", {"metadata": {"name": one.namespace}})
        for number in range(30):
            writer, reader = (one, two) if number % 2 else (two, one)
            made = await writer.create("configmaps", config_map(f"n{number}"))
            got = await reader.get(reader.path("configmaps", f"n{number}"))
            assert got.version == made.version
            assert f"n{number}" in (await reader.get(reader.path("configmaps"))).names
            await writer.delete(writer.path("configmaps", f"n{number}"))
            assert (await reader.get(reader.path("configmaps", f"n{number}"))).code == 404
