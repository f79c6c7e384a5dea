"""The whole scheduler against a server that speaks the protocol: each pod bound once, failures told and mended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from client.kubeconfig import Config
from client.rest import Client
from scheduler.scheduler import Scheduler
from tests.unit.client.fake_api import FakeApi, serve

PODS = "/api/v1/namespaces/default/pods"
NODES = "/api/v1/nodes"


async def until(condition: Callable[[], bool], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition may be anything
            await asyncio.sleep(0.005)


@asynccontextmanager
async def cluster(api: FakeApi, name: str = "default-scheduler") -> AsyncIterator[Scheduler]:
    async with Client(Config(api.url)) as client:
        scheduler = Scheduler(client, name)
        tasks = [asyncio.create_task(scheduler.watch()), asyncio.create_task(scheduler.run())]
        try:
            yield scheduler
        finally:
            for task in reversed(tasks):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await scheduler.events.close(0.2)


async def add_node(api: FakeApi, name: str, cpu: str = "4", **spec: Any) -> None:
    await api.put(NODES, name, spec=spec, status={"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}})


async def add_pod(api: FakeApi, name: str, cpu: str = "100m", **spec: Any) -> None:
    containers = [{"name": "app", "resources": {"requests": {"cpu": cpu}}}]
    await api.put(PODS, name, spec={"containers": containers, **spec})


def node_of(api: FakeApi, name: str) -> str | None:
    node: str | None = api.objects[PODS, name]["spec"].get("nodeName")
    return node


def events(api: FakeApi, reason: str) -> list[dict[str, Any]]:
    return [obj for (path, _), obj in api.objects.items() if path.endswith("/events") and obj["reason"] == reason]


def condition(api: FakeApi, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = api.objects[PODS, name].get("status", {}).get("conditions", [{}])
    return found[0]


async def test_every_pod_is_bound_once() -> None:
    async with serve() as api, cluster(api):
        for number in range(10):
            await add_node(api, f"n{number}")
        for number in range(200):
            await add_pod(api, f"p{number}")
        await until(lambda: all(node_of(api, f"p{number}") for number in range(200)))
        bindings = Counter(path for method, path in api.requests if path.endswith("/binding"))
        assert set(bindings.values()) == {1}
        assert len(bindings) == 200
        spread = Counter(node_of(api, f"p{number}") for number in range(200))
        assert set(spread.values()) == {20}


async def test_what_does_not_fit_waits_and_is_told_why_then_fits() -> None:
    async with serve() as api, cluster(api):
        await add_node(api, "n1", cpu="1")
        await add_pod(api, "big", cpu="2")
        await until(lambda: bool(events(api, "FailedScheduling")) and bool(condition(api, "big")))
        message = (
            "0/1 nodes are available: 1 Insufficient cpu. "
            "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        )
        assert events(api, "FailedScheduling")[0]["message"] == message
        told = condition(api, "big")
        assert (told["type"], told["status"], told["reason"]) == ("PodScheduled", "False", "Unschedulable")
        assert told["message"] == message
        await add_node(api, "n2", cpu="4")
        await until(lambda: node_of(api, "big") == "n2")
        await until(lambda: bool(events(api, "Scheduled")))
        assert events(api, "Scheduled")[0]["message"] == "Successfully assigned default/big to n2"


async def test_room_that_is_made_is_used() -> None:
    async with serve() as api, cluster(api):
        await add_node(api, "n1", cpu="1")
        await add_pod(api, "first", cpu="1")
        await until(lambda: node_of(api, "first") == "n1")
        await add_pod(api, "second", cpu="1")
        await until(lambda: bool(events(api, "FailedScheduling")))
        await api.drop(PODS, "first")
        await until(lambda: node_of(api, "second") == "n1")


async def test_a_finished_pod_makes_room() -> None:
    async with serve() as api, cluster(api):
        await add_node(api, "n1", cpu="1")
        await add_pod(api, "first", cpu="1")
        await until(lambda: node_of(api, "first") == "n1")
        await api.put(PODS, "first", spec=api.objects[PODS, "first"]["spec"], status={"phase": "Succeeded"})
        await add_pod(api, "second", cpu="1")
        await until(lambda: node_of(api, "second") == "n1")


async def test_a_shrunken_pod_makes_room_once_it_has_given_it_back() -> None:
    async with serve() as api, cluster(api):
        await add_node(api, "n1", cpu="1")
        await add_pod(api, "first", cpu="1")
        await until(lambda: node_of(api, "first") == "n1")
        await add_pod(api, "second", cpu="500m")
        await until(lambda: bool(events(api, "FailedScheduling")))
        small = {"containers": [{"name": "app", "resources": {"requests": {"cpu": "200m"}}}], "nodeName": "n1"}
        held = {"containerStatuses": [{"name": "app", "allocatedResources": {"cpu": "1"}}]}
        await api.put(PODS, "first", spec=small, status=held, metadata={"generation": 2})
        await asyncio.sleep(0.05)
        assert node_of(api, "second") is None
        held = {"containerStatuses": [{"name": "app", "allocatedResources": {"cpu": "200m"}}]}
        await api.put(PODS, "first", spec=small, status=held, metadata={"generation": 2})
        await until(lambda: node_of(api, "second") == "n1")


async def test_an_uncordoned_node_is_used() -> None:
    async with serve() as api, cluster(api):
        await add_node(api, "n1", unschedulable=True)
        await add_pod(api, "p")
        await until(lambda: bool(events(api, "FailedScheduling")))
        assert "1 node(s) were unschedulable" in events(api, "FailedScheduling")[0]["message"]
        await add_node(api, "n1")
        await until(lambda: node_of(api, "p") == "n1")


async def test_pods_of_others_are_left_alone() -> None:
    async with serve() as api:
        await add_node(api, "n1")
        await add_pod(api, "theirs", schedulerName="mine-alone")
        await add_pod(api, "gated", schedulingGates=[{"name": "wait"}])
        await api.put(
            PODS, "going", metadata={"deletionTimestamp": "2026-11-22T11:00:00Z"}, spec={"containers": [{"name": "a"}]}
        )
        await add_pod(api, "ours")
        async with cluster(api):
            await until(lambda: node_of(api, "ours") == "n1")
            await asyncio.sleep(0.1)
            assert [node_of(api, name) for name in ("theirs", "gated", "going")] == [None, None, None]
        async with cluster(api, "mine-alone"):
            await until(lambda: node_of(api, "theirs") == "n1")


async def test_a_failed_binding_is_undone_and_tried_again() -> None:
    async with serve() as api, cluster(api) as scheduler:
        await add_node(api, "n1")
        await until(lambda: len(scheduler.snapshot) == 1)
        original = api._bind
        refusals = [{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}]

        async def refuse_once(path: str, body: dict[str, Any]) -> web.Response:
            return web.json_response(refusals.pop(), status=403) if refusals else await original(path, body)

        api._bind = refuse_once  # type: ignore[method-assign]
        await add_pod(api, "p", cpu="3")
        await until(lambda: bool(events(api, "FailedScheduling")))
        assert scheduler.snapshot.pod_count() == 0
        await until(lambda: node_of(api, "p") == "n1")


async def test_a_lost_answer_does_not_bind_twice() -> None:
    """The server bound the pod but answered with an error: the next try's Conflict turns out to be our own work."""
    async with serve() as api, cluster(api) as scheduler:
        await add_node(api, "n1")
        await add_node(api, "n2")
        await until(lambda: len(scheduler.snapshot) == 2)
        failed: list[str] = []
        original = api._bind

        async def bind_then_fail(path: str, body: dict[str, Any]) -> web.Response:
            response = await original(path, body)
            if not failed:
                failed.append(path)
                return web.Response(status=500)
            return response

        api._bind = bind_then_fail  # type: ignore[method-assign]
        await add_pod(api, "p")
        await until(lambda: bool(events(api, "Scheduled")))
        assert node_of(api, "p") == scheduler.snapshot.node_of("uid-p")
        assert not events(api, "FailedScheduling")


async def test_a_restarted_scheduler_knows_what_is_where() -> None:
    async with serve() as api:
        await add_node(api, "n1", cpu="1")
        async with cluster(api):
            await add_pod(api, "first", cpu="800m")
            await until(lambda: node_of(api, "first") == "n1")
        await add_pod(api, "second", cpu="800m")
        async with cluster(api):
            await until(lambda: bool(events(api, "FailedScheduling")))
            assert node_of(api, "second") is None


async def test_an_unreadable_amount_does_not_stop_the_others() -> None:
    async with serve() as api, cluster(api):
        await add_node(api, "broken", cpu="lots")
        await add_node(api, "n1")
        await add_pod(api, "bad", cpu="many")
        await add_pod(api, "good")
        await until(lambda: node_of(api, "good") == "n1")
        assert node_of(api, "bad") is None
        await until(lambda: bool(events(api, "FailedScheduling")))


async def test_repeats_are_counted_in_one_event() -> None:
    async with serve() as api, cluster(api):
        await add_pod(api, "p")
        await until(lambda: bool(events(api, "FailedScheduling")))
        for number in range(2):
            await add_node(api, f"n{number}", cpu="0")
            await api.drop(NODES, f"n{number}")
        await until(lambda: events(api, "FailedScheduling")[0].get("count", 0) >= 2)
        assert events(api, "FailedScheduling")[0]["message"] == "no nodes available to schedule pods"
