"""The scheduler as a process beside a real API server: latency, explanations, crashes on either side, a second one."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from api import errors
from api.types import coordination_v1, core_v1, meta_v1
from client import kubeconfig
from client.informer import Informer
from client.rest import Client, Unreachable
from tests.harness.control import ControlPlane
from tests.harness.process import Process, free_port

LEASES = ("--lease-duration", "2s", "--renew-deadline", "1500ms", "--retry-period", "200ms")
NODES = 10


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("scheduler")
    with ControlPlane(folder, daemons=("scheduler",), flags={"scheduler": LEASES}) as running:
        yield running


@asynccontextmanager
async def cluster(plane: ControlPlane) -> AsyncIterator[tuple[Client, Informer[core_v1.Pod]]]:
    """An administrator's client, a fresh namespace's worth of nodes, and a copy of the pods."""
    async with Client(kubeconfig.load(plane.admin_conf)) as client:
        await settle(lambda: ensure_nodes(client))
        pods = Informer(client, core_v1.Pod)
        task = asyncio.create_task(pods.run())
        try:
            async with asyncio.timeout(10):
                await pods.synced()
            yield client, pods
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await remove_pods(client)


def ready_node(name: str, cpu: str) -> core_v1.Node:
    """Without a controller that takes the taint of new nodes away, a node has to be ready when it is made."""
    ready = core_v1.NodeCondition(type="Ready", status="True")
    status = core_v1.NodeStatus(allocatable={"cpu": cpu, "memory": "8Gi", "pods": "110"}, conditions=[ready])
    return core_v1.Node(metadata=meta_v1.ObjectMeta(name=name), status=status)


async def ensure_nodes(client: Client) -> None:
    for number in range(NODES):
        with suppress(errors.AlreadyExists):
            await client.create(ready_node(f"n{number}", cpu="4"))


async def remove_pods(client: Client) -> None:
    for pod in (await client.list(core_v1.Pod)).items:
        assert pod.metadata is not None
        assert pod.metadata.name is not None
        await client.delete(core_v1.Pod, pod.metadata.name, pod.metadata.namespace, grace_period=0)


async def settle(work: Callable[[], Awaitable[object]], seconds: float = 20) -> None:
    """Do it again until the server is there and has no objection."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                await work()
                return
            except (errors.StatusError, Unreachable):
                await asyncio.sleep(0.1)


def pod(name: str, cpu: str = "100m", **spec: object) -> core_v1.Pod:
    asked = core_v1.ResourceRequirements(requests={"cpu": cpu, "memory": "32Mi"})
    container = core_v1.Container(name="app", image="app", resources=asked)
    return core_v1.Pod(
        metadata=meta_v1.ObjectMeta(name=name, namespace="default", labels={"app": "web"}),
        spec=core_v1.PodSpec(containers=[container], **spec),  # type: ignore[arg-type]
    )


def node_of(pods: Informer[core_v1.Pod], name: str) -> str | None:
    found = pods.get(f"default/{name}")
    return found.spec.nodeName if found is not None and found.spec is not None else None


async def until(what: str, condition: Callable[[], bool], seconds: float = 30) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - the condition may be anything
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds} s") from None


def over_committed(pods: Informer[core_v1.Pod], each: int, room: int) -> list[str]:
    """Nodes with more millicores on them than `room`, when each pod asks for `each`."""
    counts = Counter(found.spec.nodeName for found in pods.items() if found.spec is not None and found.spec.nodeName)
    return [name or "" for name, count in counts.items() if count * each > room]


async def test_an_idle_scheduler_binds_within_milliseconds(plane: ControlPlane) -> None:
    async with cluster(plane) as (client, pods):
        times = []
        for number in range(20):
            await client.create(pod(f"quick-{number}"))
            created = time.perf_counter()
            await until("the binding", lambda name=f"quick-{number}": bool(node_of(pods, name)))  # type: ignore[misc]
            times.append(time.perf_counter() - created)
        assert min(times) < 0.05, times  # the others tell of the machine, not of the scheduler


async def test_the_user_is_told_why_and_when(plane: ControlPlane) -> None:
    async with cluster(plane) as (client, pods):
        await client.create(pod("huge", cpu="64"))

        async def told() -> None:
            found = await client.get(core_v1.Pod, "huge", "default")
            assert found.status is not None
            conditions = {each.type: each for each in found.status.conditions or ()}
            if "PodScheduled" not in conditions:
                raise errors.NotFound("conditions", "PodScheduled")
            condition = conditions["PodScheduled"]
            assert (condition.status, condition.reason) == ("False", "Unschedulable")
            assert condition.message == (
                "0/10 nodes are available: 10 Insufficient cpu. "
                "preemption: 0/10 nodes are available: 10 Preemption is not helpful for scheduling."
            )

        await settle(told)
        await client.create(ready_node("huge-node", cpu="100"))
        await until("the new node's use", lambda: node_of(pods, "huge") == "huge-node")

        async def both_events() -> None:
            events = (await client.list(core_v1.Event, "default", fields="involvedObject.name=huge")).items
            if {event.reason for event in events} != {"FailedScheduling", "Scheduled"}:
                raise errors.NotFound("events", "huge")

        await settle(both_events)
        await client.delete(core_v1.Node, "huge-node")


async def test_an_api_server_that_dies_meanwhile_costs_nothing_but_time(plane: ControlPlane) -> None:
    async with cluster(plane) as (client, pods):

        async def create(number: int) -> None:
            try:
                await client.create(pod(f"crash-{number}"))
            except errors.AlreadyExists:
                return

        work = [asyncio.create_task(settle(lambda n=n: create(n))) for n in range(150)]  # type: ignore[misc]
        await until("the first binding", lambda: any(node_of(pods, f"crash-{n}") for n in range(150)))
        plane.apiserver.kill()
        await asyncio.to_thread(plane.start_apiserver)
        await asyncio.gather(*work)
        await until("all bindings", lambda: all(node_of(pods, f"crash-{n}") for n in range(150)))
        assert over_committed(pods, 100, 4000) == []
        assert plane.daemons["scheduler"].alive()


async def test_a_scheduler_that_dies_meanwhile_is_followed_by_one_that_finishes(plane: ControlPlane) -> None:
    async with cluster(plane) as (client, pods):
        scheduler = plane.daemons["scheduler"]
        await asyncio.gather(*(client.create(pod(f"dead-{n}", cpu="250m")) for n in range(160)))
        await until("the first binding", lambda: any(node_of(pods, f"dead-{n}") for n in range(160)))
        scheduler.kill()
        scheduler.start()
        await until("all bindings", lambda: all(node_of(pods, f"dead-{n}") for n in range(160)))
        assert over_committed(pods, 250, 4000) == []
        # The cluster is exactly full now: one more does not fit.
        await client.create(pod("one-too-many", cpu="250m"))
        await asyncio.sleep(0.3)
        assert node_of(pods, "one-too-many") is None


async def test_a_second_scheduler_takes_over_at_once_after_a_clean_stop(plane: ControlPlane) -> None:
    async with cluster(plane) as (client, pods):
        first = plane.daemons["scheduler"]
        argv = [*first.argv]
        argv[argv.index("--health-bind") + 1] = f"127.0.0.1:{free_port()}"
        second = Process("scheduler-2", argv, plane.folder).start()
        try:
            leader = await holder(client)
            assert leader
            await asyncio.sleep(1.0)
            assert await holder(client) == leader
            started = time.monotonic()
            assert first.stop() == 0
            await client.create(pod("after"))
            await until("the second one's work", lambda: bool(node_of(pods, "after")), seconds=10)
            assert time.monotonic() - started < 3
            assert await holder(client) not in ("", leader)
        finally:
            second.stop()
            first.start()


async def holder(client: Client) -> str:
    lease = await client.get(coordination_v1.Lease, "kube-scheduler", "kube-system")
    return (lease.spec.holderIdentity if lease.spec is not None else None) or ""
