"""`/metrics/probes`: how often each container's probes have answered how, under Kubernetes' name."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from daemon.aio import web
from kubelet.pods import Pods

_TEXT = "Cumulative number of a liveness, readiness or startup probe for a container by result."
_LABELS = ("probe_type", "result", "container", "pod", "namespace", "pod_uid")


class ProbeCounts(Collector):
    """Reads the pods' own counts as it is asked: what is gone is told no more."""

    def __init__(self, pods: Pods) -> None:
        self._pods = pods

    def collect(self) -> Iterable[CounterMetricFamily]:
        family = CounterMetricFamily("prober_probe", _TEXT, labels=_LABELS)
        for worker in self._pods.all():
            metadata = worker.pod.metadata
            assert metadata is not None
            for (container, kind, result), count in worker.answers.items():
                whose = (container, metadata.name or "", metadata.namespace or "", worker.uid)
                family.add_metric((kind, result, *whose), count)
        yield family


def routes(pods: Pods) -> list[web.RouteDef]:
    registry = CollectorRegistry()
    registry.register(ProbeCounts(pods))

    async def page(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/metrics/probes", page)]
