"""Several schedulers side by side: each binds the pods that name it, and no others."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.harness.control import ControlPlane
from tests.harness.process import Process, free_port
from tests.integration.apiserver.api import CORE, STRATEGIC, Api, Object, connect, pod

PODS = f"{CORE}/namespaces/default/pods"
DEFAULT, SECOND, FOREIGN, NOBODY = "default-scheduler", "second-scheduler", "foreign-scheduler", "nobody"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("schedulers")) as running:
        yield running


@asynccontextmanager
async def scheduler(plane: ControlPlane, name: str) -> AsyncIterator[None]:
    """A scheduler process of ours under a name."""
    argv = [sys.executable, "-m", "scheduler.main", "--kubeconfig", str(plane.layout.kubeconfig("scheduler"))]
    argv += ["--health-bind", f"127.0.0.1:{free_port()}", "--scheduler-name", name]
    process = Process(name, argv, plane.folder).start()
    try:
        yield
    finally:
        await asyncio.to_thread(process.stop)


async def foreign(api: Api) -> None:
    """A scheduler that somebody else wrote: it puts whatever names it on the node `theirs`."""
    async with api.watch(f"{CORE}/pods", f"&fieldSelector=spec.schedulerName={FOREIGN},spec.nodeName=") as events:
        while True:
            event = await events.next(60)
            if event["type"] == "ADDED":
                meta = event["object"]["metadata"]
                binding = {"metadata": {"name": meta["name"]}, "target": {"kind": "Node", "name": "theirs"}}
                bound = await api.send("POST", f"{PODS}/{meta['name']}/binding", binding)
                assert bound.code == 201, bound.message


async def nodes(api: Api) -> None:
    room = {"status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}}}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    for name in ("one", "theirs"):
        node = {"metadata": {"name": name}, "status": ready}
        assert (await api.send("POST", f"{CORE}/nodes", node)).code == 201
        assert (await api.patch(f"{CORE}/nodes/{name}/status", room, STRATEGIC)).code == 200


async def bound(api: Api) -> dict[str, set[str]]:
    """The names of the bound pods, by scheduler."""
    pods: list[Object] = (await api.get(PODS)).body["items"]
    found: dict[str, set[str]] = {}
    for each in pods:
        names = found.setdefault(each["spec"]["schedulerName"], set())
        if each["spec"].get("nodeName"):
            names.add(each["metadata"]["name"])
    return found


async def until_bound(api: Api, name: str) -> dict[str, set[str]]:
    """Who is bound, once all pods of a scheduler are."""
    async with asyncio.timeout(20):
        while True:
            found = await bound(api)
            if len(found[name]) == 2:
                return found
            await asyncio.sleep(0.05)


async def test_each_scheduler_binds_its_own_pods(plane: ControlPlane) -> None:
    async with connect(plane) as api:
        await nodes(api)
        for name in (DEFAULT, SECOND, FOREIGN, NOBODY):
            for number in range(2):
                made = await api.send("POST", PODS, pod(f"{name}-{number}", schedulerName=name))
                assert made.code == 201, made.message
        async with scheduler(plane, SECOND):
            found = await until_bound(api, SECOND)
            assert {name for name, names in found.items() if names} == {SECOND}
            theirs = asyncio.create_task(foreign(api))
            found = await until_bound(api, FOREIGN)
            theirs.cancel()
            await asyncio.gather(theirs, return_exceptions=True)
            assert {name for name, names in found.items() if names} == {SECOND, FOREIGN}
            async with scheduler(plane, DEFAULT):
                found = await until_bound(api, DEFAULT)
        assert not found[NOBODY]
        placed = {
            each["metadata"]["name"]: each["spec"].get("nodeName") for each in (await api.get(PODS)).body["items"]
        }
        assert placed[f"{FOREIGN}-0"] == placed[f"{FOREIGN}-1"] == "theirs"
