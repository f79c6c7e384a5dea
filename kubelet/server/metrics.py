"""The kubelet's own series at `/metrics`, under Kubernetes' names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kubelet.lifecycle.view import TERMINAL
from kubelet.node.status import VERSION
from kubelet.pods import Pods
from kubelet.runtime.container import State
from kubelet.runtime.inventory import Inventory
from kubelet.static.annotations import is_static
from kubelet.worker.worker import PodWorker


class KubeletMetrics(Collector):
    """Counts what is there at the moment; `log_streams` and `mirrors` tell what only others know."""

    def __init__(
        self, pods: Pods, inventory: Inventory, log_streams: Callable[[], int], mirrors: Callable[[], int] = lambda: 0
    ) -> None:
        self._pods, self._inventory = pods, inventory
        self._log_streams, self._mirrors = log_streams, mirrors

    def collect(self) -> Iterable[GaugeMetricFamily]:
        yield self._labelled(
            "kubelet_node_name", "The node's name. The count is always 1.", "node", self._pods.node.name
        )
        build = "A metric with a constant '1' value labeled by the version"
        yield self._labelled("kubernetes_build_info", build, "git_version", VERSION)
        yield from self._containers()
        workers = self._pods.all()
        yield _by_source("kubelet_desired_pods", "The number of pods the kubelet is being instructed to run", workers)
        active = [each for each in workers if not _is_over(each)]
        yield _by_source("kubelet_active_pods", "The number of pods the kubelet considers active", active)
        mirrors = "The number of mirror pods the kubelet will try to create (one per admitted static pod)"
        yield GaugeMetricFamily("kubelet_mirror_pods", mirrors, value=self._mirrors())
        yield GaugeMetricFamily("kubelet_log_streams", "Number of log streams being read", value=self._log_streams())

    def _containers(self) -> Iterable[GaugeMetricFamily]:
        containers = self._inventory.all()
        running = [each for each in containers if each.state is State.RUNNING]
        sandboxes = {each.pod_uid for each in running if each.is_sandbox}
        text = "Number of pods that have a running pod sandbox"
        yield GaugeMetricFamily("kubelet_running_pods", text, value=len(sandboxes))
        text = "Number of containers currently running"
        family = GaugeMetricFamily("kubelet_running_containers", text, labels=["container_state"])
        for state, name in ((State.CREATED, "created"), (State.RUNNING, "running"), (State.EXITED, "exited")):
            family.add_metric([name], sum(1 for each in containers if each.state is state and not each.is_sandbox))
        yield family

    def _labelled(self, name: str, text: str, label: str, value: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, text, labels=[label])
        family.add_metric([value], 1)
        return family


def _by_source(name: str, text: str, workers: Iterable[PodWorker]) -> GaugeMetricFamily:
    """Static pods and the API server's, each counted."""
    static = [is_static(each.pod) for each in workers]
    family = GaugeMetricFamily(name, text, labels=["static"])
    family.add_metric(["true"], sum(static))
    family.add_metric(["false"], len(static) - sum(static))
    return family


def _is_over(worker: PodWorker) -> bool:
    return worker.status is not None and worker.status.phase in TERMINAL
