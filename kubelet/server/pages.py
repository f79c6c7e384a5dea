"""The plain pages: `/pods`, `/spec`, `/metrics`, `/healthz`, as an operator on the node reads them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.types import core_v1
from daemon.aio import web
from kubelet.node.machine import Machine
from kubelet.pods import Pods
from kubelet.runtime.container import State


def pods_page(pods: Pods) -> bytes:
    """A PodList, each pod with the status that this kubelet knows."""
    items: list[core_v1.Pod] = []
    for worker in pods.all():
        items.append(msgspec.structs.replace(worker.pod, status=worker.status or worker.pod.status))
    return msgspec.json.encode({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})


def running_page(pods: Pods) -> bytes:
    """A PodList of what runs here by the engine's account, with as much as that tells."""
    items = []
    for worker in pods.all():
        running = [each for each in worker.containers() if each.state is State.RUNNING]
        metadata = worker.pod.metadata
        if not running or metadata is None:
            continue
        containers = [{"name": each.name, "image": each.image} for each in running if not each.is_sandbox]
        known = {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid}
        items.append({"metadata": known, "spec": {"containers": containers}, "status": {}})
    return msgspec.json.encode({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})


def spec_page(machine: Machine) -> bytes:
    """The machine, in the words of cAdvisor's MachineInfo."""
    return msgspec.json.encode(
        {
            "num_cores": machine.cpus,
            "memory_capacity": machine.memory,
            "swap_capacity": machine.swap,
            "machine_id": machine.machine_id,
            "system_uuid": machine.system_uuid,
            "boot_id": machine.boot_id,
            "filesystems": [{"device": "root", "capacity": machine.disk}],
        }
    )


def routes(
    pods: Pods,
    machine: Machine,
    registry: CollectorRegistry,
    problem: Callable[[], str],
    more: Callable[[], Awaitable[str]],
) -> list[web.AbstractRouteDef]:
    async def pods_handler(request: web.Request) -> web.Response:
        return web.Response(body=pods_page(pods), content_type="application/json")

    async def running_handler(request: web.Request) -> web.Response:
        return web.Response(body=running_page(pods), content_type="application/json")

    async def spec_handler(request: web.Request) -> web.Response:
        return web.Response(body=spec_page(machine), content_type="application/json")

    async def metrics_handler(request: web.Request) -> web.Response:
        text = generate_latest(registry) + (await more()).encode()
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health_handler(request: web.Request) -> web.Response:
        why = problem()
        return web.Response(status=500, text=why) if why else web.Response(text="ok")

    return [
        web.get("/pods", pods_handler),
        web.get("/pods/", pods_handler),
        web.get("/runningpods", running_handler),
        web.get("/runningpods/", running_handler),
        web.get("/spec", spec_handler),
        web.get("/spec/", spec_handler),
        web.get("/metrics", metrics_handler),
        *(web.get(path, health_handler) for path in ("/healthz", "/healthz/ping", "/healthz/syncloop")),
    ]
