"""An informer's copy is right after everything a server can do to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web

from api.types import core_v1, discovery_v1
from client.informer import Informer
from client.kubeconfig import Config
from client.rest import Client
from tests.unit.client.fake_api import FakeApi, serve

PODS = "/api/v1/namespaces/default/pods"


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition may be anything
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(api: FakeApi) -> AsyncIterator[tuple[Informer[core_v1.Pod], list[tuple[str, str]]]]:
    changes: list[tuple[str, str]] = []

    def note(key: str, old: core_v1.Pod | None, new: core_v1.Pod | None) -> None:
        changes.append((key, "added" if old is None else "deleted" if new is None else "updated"))

    async with Client(Config(api.url)) as client:
        informer = Informer(client, core_v1.Pod, indexers={"node": lambda pod: [_node(pod)]})
        informer.on_change(note)
        task = asyncio.create_task(informer.run())
        try:
            async with asyncio.timeout(5):
                await informer.synced()
            yield informer, changes
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


def _node(pod: core_v1.Pod) -> str:
    return (pod.spec.nodeName if pod.spec else None) or ""


def spec(node: str = "") -> dict[str, object]:
    return {"containers": [{"name": "a"}], **({"nodeName": node} if node else {})}


async def test_it_lists_then_follows() -> None:
    async with serve() as api:
        await api.put(PODS, "a", spec=spec())
        async with running(api) as (informer, changes):
            assert informer.keys() == ["default/a"]
            await api.put(PODS, "b", spec=spec())
            await api.put(PODS, "a", spec=spec("n1"))
            await api.drop(PODS, "b")
            await until(lambda: len(changes) == 4)
            assert changes == [
                ("default/a", "added"),
                ("default/b", "added"),
                ("default/a", "updated"),
                ("default/b", "deleted"),
            ]
            assert [pod.metadata.name for pod in informer.by_index("node", "n1") if pod.metadata] == ["a"]
            assert informer.by_index("node", "") == []


async def test_what_happened_while_the_watch_was_cut_is_told_once() -> None:
    async with serve() as api:
        await api.put(PODS, "a", spec=spec())
        async with running(api) as (informer, changes):
            await until(lambda: any("watch=true" in path for _, path in api.requests))
            await api.cut_watches()
            await api.put(PODS, "b", spec=spec())
            await until(lambda: informer.get("default/b") is not None)
            assert changes == [("default/a", "added"), ("default/b", "added")]
            assert sum("watch=true" not in path for _, path in api.requests) == 1  # no second list


async def test_a_compacted_history_leads_to_a_list_whose_differences_are_told() -> None:
    async with serve() as api:
        await api.put(PODS, "a", spec=spec())
        await api.put(PODS, "b", spec=spec())
        async with running(api) as (informer, changes):
            await until(lambda: any("watch=true" in path for _, path in api.requests))
            api.compacted = 1 << 30
            await api.cut_watches()
            # While it cannot watch, the world changes.
            del api.objects[PODS, "a"]
            await api.put(PODS, "b", spec=spec("n1"))
            await api.put(PODS, "c", spec=spec())
            await until(lambda: len(informer) == 2 and informer.get("default/c") is not None)
            assert sorted(changes[2:]) == [("default/a", "deleted"), ("default/b", "updated"), ("default/c", "added")]
            api.compacted = 0
            await api.put(PODS, "d", spec=spec())
            await until(lambda: informer.get("default/d") is not None)


async def test_a_recreated_object_is_told_as_gone_and_come() -> None:
    async with serve() as api:
        await api.put(PODS, "a", spec=spec())
        async with running(api) as (_, changes):
            api.compacted = 1 << 30
            await until(lambda: any("watch=true" in path for _, path in api.requests))
            await api.cut_watches()
            await api.put(PODS, "a", spec=spec(), metadata={"uid": "another"})
            await until(lambda: len(changes) == 3)
            assert changes[1:] == [("default/a", "deleted"), ("default/a", "added")]


async def test_a_server_that_dies_and_comes_back_is_found_again() -> None:
    api = FakeApi()
    async with serve(api=api):
        await api.put(PODS, "a", spec=spec())
        port = int(api.url.rsplit(":", 1)[1])
        async with running(api) as (informer, _):
            await until(lambda: any("watch=true" in path for _, path in api.requests))
    # `running` ended inside; now a fresh informer meets a server that is down at first.
    async with Client(Config(api.url)) as client:
        informer = Informer(client, core_v1.Pod)
        task = asyncio.create_task(informer.run())
        await asyncio.sleep(0.1)
        assert not informer.has_synced
        assert informer.trouble() == "the list of pods has not arrived yet"
        async with serve(port, api):
            async with asyncio.timeout(5):
                await informer.synced()
            assert informer.keys() == ["default/a"]
            assert informer.trouble() is None
            task.cancel()


async def test_an_error_at_the_list_is_tried_again() -> None:
    async with serve() as api:
        api.fail = [web.Response(status=500, text="no json"), web.Response(status=503)]
        await api.put(PODS, "a", spec=spec())
        async with running(api) as (informer, _):
            assert informer.keys() == ["default/a"]


async def test_an_unreadable_object_does_not_hide_the_others() -> None:
    async with serve() as api:
        await api.put(PODS, "bad", spec={"containers": "none"})
        await api.put(PODS, "good", spec=spec())
        async with running(api) as (informer, _):
            assert informer.keys() == ["default/good"]


async def test_an_unreadable_change_does_not_stop_the_watch() -> None:
    async with serve() as api, running(api) as (informer, changes):
        await api.put(PODS, "a", spec=spec())
        await api.put(PODS, "a", spec={"containers": "none"})
        await api.put(PODS, "b", spec=spec())
        await until(lambda: len(changes) == 2)
        assert sorted(informer.keys()) == ["default/a", "default/b"]


async def test_a_server_that_always_says_gone_is_not_stormed() -> None:
    async with serve() as api:
        api.compacted = 1 << 30
        async with running(api):
            await asyncio.sleep(0.5)
        assert len(api.requests) < 20


async def test_a_failing_handler_does_not_stop_the_others() -> None:
    async with serve() as api, running(api) as (informer, changes):
        informer.on_change(lambda *_: 1 / 0)  # type: ignore[arg-type]
        late: list[str] = []
        informer.on_change(lambda key, old, new: late.append(key))
        await api.put(PODS, "a", spec=spec())
        await until(lambda: len(changes) == 1)
        assert late == ["default/a"]


@pytest.mark.parametrize("count", [300])
async def test_many_changes_arrive_in_order(count: int) -> None:
    async with serve() as api, running(api) as (informer, changes):
        writes: list[Awaitable[object]] = [api.put(PODS, f"p{i}", spec=spec()) for i in range(count)]
        for write in writes:
            await write
        await until(lambda: len(informer) == count)
        assert [key for key, _ in changes] == [f"default/p{i}" for i in range(count)]


async def test_a_bookmark_need_not_be_a_whole_object() -> None:
    """It holds a resourceVersion and nothing else, whatever the kind's required fields are."""
    path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    async with serve() as api, Client(Config(api.url)) as client:
        version = await api.bookmark(path)
        events = client.watch(discovery_v1.EndpointSlice, "default", resource_version=str(version - 1))
        async with asyncio.timeout(5), aclosing(events):
            kind, obj = await anext(events)
        assert kind == "BOOKMARK"
        assert obj.metadata is not None
        assert obj.metadata.resourceVersion == str(version)
