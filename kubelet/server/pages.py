"""The plain pages: `/pods`, `/spec`, `/metrics`, `/healthz`, as an operator on the node reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.types import core_v1
from daemon.aio import web
from kubelet.machine import Machine
from kubelet.pods import Pods
from kubelet.runtime.container import State
from kubelet.runtime.inventory import Inventory


def pods_page(pods: Pods) -> bytes:
    """A PodList, each pod with the status that this kubelet knows."""
    items: list[core_v1.Pod] = []
    for worker in pods.all():
        items.append(msgspec.structs.replace(worker.pod, status=worker.status or worker.pod.status))
    return msgspec.json.encode({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})


def spec_page(machine: Machine) -> bytes:
    """The machine, in the words of cAdvisor's MachineInfo."""
    return msgspec.json.encode(
        {
            "num_cores": machine.cpus,
            "memory_capacity": machine.memory,
            "machine_id": machine.machine_id,
            "system_uuid": machine.system_uuid,
            "boot_id": machine.boot_id,
            "filesystems": [{"device": "root", "capacity": machine.disk}],
        }
    )


class KubeletMetrics(Collector):
    """The counts that Kubernetes' kubelet gives under the same names."""

    def __init__(self, pods: Pods, inventory: Inventory, log_streams: Callable[[], int]) -> None:
        self._pods, self._inventory, self._log_streams = pods, inventory, log_streams

    def collect(self) -> Iterable[GaugeMetricFamily]:
        containers = self._inventory.all()
        running = [each for each in containers if each.state is State.RUNNING]
        yield GaugeMetricFamily(
            "kubelet_running_pods",
            "Number of pods that have a running pod sandbox",
            value=len({each.pod_uid for each in running if each.is_sandbox}),
        )
        family = GaugeMetricFamily(
            "kubelet_running_containers", "Number of containers by state", labels=["container_state"]
        )
        for state, name in ((State.CREATED, "created"), (State.RUNNING, "running"), (State.EXITED, "exited")):
            count = sum(1 for each in containers if each.state is state and not each.is_sandbox)
            family.add_metric([name], count)
        yield family
        yield GaugeMetricFamily("kubelet_log_streams", "Number of log streams being read", value=self._log_streams())
        yield GaugeMetricFamily("kubelet_desired_pods", "Number of pods worked on", len(self._pods.all()))


def routes(
    pods: Pods, machine: Machine, registry: CollectorRegistry, problem: Callable[[], str]
) -> list[web.AbstractRouteDef]:
    async def pods_handler(request: web.Request) -> web.Response:
        return web.Response(body=pods_page(pods), content_type="application/json")

    async def spec_handler(request: web.Request) -> web.Response:
        return web.Response(body=spec_page(machine), content_type="application/json")

    async def metrics_handler(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health_handler(request: web.Request) -> web.Response:
        why = problem()
        return web.Response(status=500, text=why) if why else web.Response(text="ok")

    return [
        web.get("/pods", pods_handler),
        web.get("/pods/", pods_handler),
        web.get("/runningpods/", pods_handler),
        web.get("/spec", spec_handler),
        web.get("/spec/", spec_handler),
        web.get("/metrics", metrics_handler),
        web.get("/healthz", health_handler),
    ]
