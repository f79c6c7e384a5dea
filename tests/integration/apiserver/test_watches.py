"""Watches: where they start, what a selector sees, bookmarks, ends."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from bench.processes import resident
from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, TABLE, Api, Events, config_map, pod


async def version_of(api: Api) -> str:
    return (await api.get(api.path("configmaps"))).version


async def test_changes_come_as_they_happen(api: Api) -> None:
    version = await version_of(api)
    path = api.path("configmaps")
    async with api.watch(path, f"&resourceVersion={version}") as events:
        made = await api.create("configmaps", config_map())
        changed = await api.patch(f"{path}/one", {"data": {"a": "b"}})
        await api.delete(f"{path}/one")
        added, modified, deleted = [await events.next() for _ in range(3)]
    assert (added["type"], added["object"]) == ("ADDED", made.body)
    assert (modified["type"], modified["object"]) == ("MODIFIED", changed.body)
    assert (deleted["type"], deleted["object"]["data"]) == ("DELETED", {"a": "b"})
    assert int(deleted["object"]["metadata"]["resourceVersion"]) > int(changed.version)


async def test_a_watch_goes_on_where_another_stopped(api: Api) -> None:
    versions = [(await api.create("configmaps", config_map(f"c{i}"))).version for i in range(4)]
    async with api.watch(api.path("configmaps"), f"&resourceVersion={versions[1]}") as events:
        assert await events.take(2) == [("ADDED", "c2"), ("ADDED", "c3")]


@pytest.mark.parametrize("query", ["", "&resourceVersion=0"])
async def test_without_a_version_the_present_comes_first(api: Api, query: str) -> None:
    for name in ("b", "a"):
        await api.create("configmaps", config_map(name))
    async with api.watch(api.path("configmaps"), query) as events:
        assert await events.take(2) == [("ADDED", "a"), ("ADDED", "b")]
        await api.create("configmaps", config_map("c"))
        assert await events.take(1) == [("ADDED", "c")]


async def test_a_selector_sees_objects_come_and_go(api: Api) -> None:
    path, version = api.path("configmaps"), await version_of(api)
    async with api.watch(path, f"&resourceVersion={version}&labelSelector=show%3Dyes") as events:
        await api.create("configmaps", config_map("hidden"))
        await api.create("configmaps", config_map("one", data={"n": "1"}))
        await api.patch(f"{path}/one", {"metadata": {"labels": {"show": "yes"}}})
        await api.patch(f"{path}/one", {"data": {"n": "2"}})
        left = await api.patch(f"{path}/one", {"metadata": {"labels": {"show": "no"}}, "data": {"n": "3"}})
        await api.delete(f"{path}/one")
        added, modified, deleted = [await events.next() for _ in range(3)]
        await api.patch(f"{path}/hidden", {"metadata": {"labels": {"show": "yes"}}})
        assert await events.take(1) == [("ADDED", "hidden")]
    assert [each["type"] for each in (added, modified, deleted)] == ["ADDED", "MODIFIED", "DELETED"]
    assert deleted["object"]["data"] == {"n": "2"}
    assert deleted["object"]["metadata"]["resourceVersion"] == left.version


async def test_a_node_watches_its_own_pods(api: Api) -> None:
    version = (await api.get(api.path("pods"))).version
    async with api.watch(f"{CORE}/pods", f"&resourceVersion={version}&fieldSelector=spec.nodeName%3Dn7") as events:
        for name in ("mine", "other"):
            await api.create("pods", pod(name))
            target = {"metadata": {"name": name}, "target": {"name": "n7" if name == "mine" else "n8"}}
            await api.send("POST", api.path("pods", name, "binding"), target)
        await api.delete(api.path("pods", "mine"), {"gracePeriodSeconds": 0})
        assert await events.take(2) == [("ADDED", "mine"), ("DELETED", "mine")]


async def test_one_object_may_be_watched(api: Api) -> None:
    for name in ("a", "b"):
        await api.create("configmaps", config_map(name))
    async with api.watch(api.path("configmaps", "b")) as events:
        assert await events.take(1) == [("ADDED", "b")]
    async with api.watch(api.path("configmaps"), "&fieldSelector=metadata.name%3Da") as events:
        assert await events.take(1) == [("ADDED", "a")]


async def test_initial_events_end_with_a_bookmark(api: Api) -> None:
    await api.create("configmaps", config_map())
    query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with api.watch(api.path("configmaps"), query) as events:
        assert (await events.next())["type"] == "ADDED"
        mark = await events.next()
        assert mark["type"] == "BOOKMARK"
        assert mark["object"]["kind"] == "ConfigMap"
        assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        later = await api.create("configmaps", config_map("two"))
        assert await events.take(1) == [("ADDED", "two")]
    start = mark["object"]["metadata"]["resourceVersion"]
    async with api.watch(api.path("configmaps"), f"&resourceVersion={start}") as events:
        assert (await events.next())["object"] == later.body


@pytest.mark.parametrize(
    "query",
    [
        "sendInitialEvents=true&allowWatchBookmarks=true",
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
        "sendInitialEvents=false&resourceVersionMatch=Exact&resourceVersion=5",
        "resourceVersionMatch=NotOlderThan&resourceVersion=5",
    ],
)
async def test_initial_events_asked_for_wrongly(api: Api, query: str) -> None:
    answer = await api.get(f"{api.path('configmaps')}?watch=true&{query}")
    assert (answer.code, answer.reason) == (422, "Invalid")


async def test_a_version_that_is_not_there_yet(api: Api) -> None:
    answer = await api.get(f"{api.path('configmaps')}?watch=1&resourceVersion=99999999")
    assert (answer.code, answer.reason) == (504, "Timeout")
    wrong = await api.get(f"{api.path('configmaps')}?watch=1&resourceVersion=abc")
    assert (wrong.code, wrong.reason) == (400, "BadRequest")


async def test_a_watch_ends_when_its_time_is_over(api: Api) -> None:
    begun = time.monotonic()
    async with api.watch(api.path("configmaps"), "&timeoutSeconds=1") as events:
        assert await events.rest() == []
    assert 0.9 < time.monotonic() - begun < 3


async def test_rows_of_a_table(api: Api) -> None:
    await api.create("pods", pod("a"))
    async with api.watch(api.path("pods"), Accept=TABLE) as events:
        first = (await events.next())["object"]
        await api.create("pods", pod("b"))
        second = (await events.next())["object"]
    assert (first["kind"], first["rows"][0]["cells"][0]) == ("Table", "a")
    assert first["columnDefinitions"][0]["name"] == "Name"
    assert (second["columnDefinitions"], second["rows"][0]["cells"][0]) == (None, "b")


async def test_many_watchers_see_the_same(api: Api) -> None:
    version = await version_of(api)

    async def see() -> list[tuple[str, str]]:
        async with api.watch(api.path("configmaps"), f"&resourceVersion={version}") as events:
            return await events.take(20)

    seeing = [asyncio.create_task(see()) for _ in range(30)]
    for index in range(20):
        await api.create("configmaps", config_map(f"c{index:02}"))
    seen = await asyncio.gather(*seeing)
    assert all(each == [("ADDED", f"c{index:02}") for index in range(20)] for each in seen)


async def test_the_old_form_of_a_watch_path(api: Api) -> None:
    await api.create("configmaps", config_map())
    async with api.watch(f"/api/v1/watch/namespaces/{api.namespace}/configmaps") as events:
        assert await events.take(1) == [("ADDED", "one")]


async def test_a_watch_whose_client_has_left_is_forgotten(api: Api) -> None:
    async def watchers() -> str:
        text: str = (await api.get("/metrics")).body
        return next(
            line for line in text.splitlines() if line.startswith("apiserver_registered_watchers") and "leases" in line
        )

    path = f"/apis/coordination.k8s.io/v1/namespaces/{api.namespace}/leases"
    async with api.watch(path), api.watch(path):
        assert (await watchers()).endswith(" 2.0")
    for _ in range(100):
        if (await watchers()).endswith(" 0.0"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(await watchers())


async def test_slow_watchers_cost_no_memory_and_are_told_to_list_again(api: Api, plane: ControlPlane) -> None:
    path, times, slow_ones = api.path("configmaps", "large"), 300, 5
    made = await api.create("configmaps", config_map("large", data={"text": "x" * 400_000, "count": "0"}))
    query = f"&resourceVersion={made.version}"

    async def follow(events: Events) -> bool:
        counts = [int((await events.next(30))["object"]["data"]["count"]) for _ in range(times)]
        return counts == list(range(1, times + 1))

    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(api.watch(api.path("configmaps"), query)) for _ in range(slow_ones)]
        quick = await stack.enter_async_context(api.watch(api.path("configmaps"), query))
        following = asyncio.create_task(follow(quick))
        before = resident(plane.apiserver.pid)
        for count in range(1, times + 1):
            assert (await api.patch(path, {"data": {"count": str(count)}})).code == 200
        assert await following, "a watcher that keeps up sees everything"
        grown = resident(plane.apiserver.pid) - before
        assert grown < 250, f"{grown:.0f} MB more for {slow_ones} watchers that do not read"
        for events in slow:
            *seen, last = await events.rest(30)
            counts = [int(event["object"]["data"]["count"]) for event in seen]
            assert counts == list(range(1, len(counts) + 1))
            assert (last["type"], last["object"]["code"], last["object"]["reason"]) == ("ERROR", 410, "Expired")
