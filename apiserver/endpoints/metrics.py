"""What the server has done, for Prometheus. Counting costs a request next to nothing; the rest is done when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from apiserver.endpoints.state import State
from apiserver.priority import Priority

BOUNDS = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0)
LASTING = frozenset({"watch", "connect"})
"""Verbs whose requests last as long as the client wants: their time says nothing."""

Key = tuple[str, str, str]
"""Verb, group and resource."""


class Requests:
    """Counts of answered requests, and how long they took."""

    def __init__(self) -> None:
        self.codes: dict[tuple[Key, int], int] = {}
        self.times: dict[Key, list[float]] = {}
        """For each kind of request: how many took up to each bound, how many took longer, and the seconds of all."""

    def observe(self, key: Key, code: int, seconds: float) -> None:
        self.codes[key, code] = self.codes.get((key, code), 0) + 1
        if key[0] in LASTING:
            return
        times = self.times.get(key)
        if times is None:
            times = self.times[key] = [0.0] * (len(BOUNDS) + 2)
        times[bisect_left(BOUNDS, seconds)] += 1
        times[-1] += seconds


class ServerCollector(Collector):
    """The server's state in Prometheus' terms, with the names that Kubernetes' dashboards know."""

    def __init__(self, state: State, requests: Requests, priority: Priority) -> None:
        self._state = state
        self._requests = requests
        self._priority = priority

    def collect(self) -> Iterable[Metric]:
        labels = ["verb", "group", "resource"]
        total = CounterMetricFamily("apiserver_request", "Answered requests", labels=[*labels, "code"])
        for (key, code), count in self._requests.codes.items():
            total.add_metric([*key, str(code)], count)
        yield total
        duration = HistogramMetricFamily("apiserver_request_duration_seconds", "Time to an answer", labels=labels)
        for key, times in self._requests.times.items():
            duration.add_metric(list(key), list(_buckets(times)), sum_value=times[-1])
        yield duration
        yield from self._caches()
        yield from self._seats()

    def _seats(self) -> Iterator[Metric]:
        labels = ["priority_level", "request_kind"]
        taken = GaugeMetricFamily("apiserver_current_inflight_requests", "Seats that are taken", labels=labels)
        waiting = GaugeMetricFamily("apiserver_current_inqueue_requests", "Requests that wait for seats", labels=labels)
        refused = CounterMetricFamily("apiserver_rejected_requests", "Requests that found no seat", labels=labels)
        for key, room in self._priority.rooms.items():
            taken.add_metric(key, room.taken)
            waiting.add_metric(key, room.waiting)
            refused.add_metric(key, room.refused)
        yield from (taken, waiting, refused)

    def _caches(self) -> Iterator[Metric]:
        objects = GaugeMetricFamily("apiserver_storage_objects", "Objects of a resource", labels=["resource"])
        watchers = GaugeMetricFamily("apiserver_registered_watchers", "Open watches", labels=["group", "resource"])
        for resource in self._state.catalog.homes:
            objects.add_metric([resource.kind.resource], len(resource.cache.entries))
            watchers.add_metric([resource.kind.group, resource.kind.plural], resource.cache.watchers)
        yield objects
        yield watchers
        yield GaugeMetricFamily("apiserver_cache_revision", "etcd's revision in the caches", self._state.feed.revision)
        yield GaugeMetricFamily("apiserver_etcd_connected", "Whether etcd is seen", float(self._state.feed.connected))


def registry_of(state: State, requests: Requests, priority: Priority) -> CollectorRegistry:
    """All that /metrics tells."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(ServerCollector(state, requests, priority))
    return registry


def _buckets(times: list[float]) -> Iterator[tuple[str, float]]:
    """Cumulative counts, as Prometheus wants them."""
    count = 0.0
    for bound, here in zip((*map(str, BOUNDS), "+Inf"), times[:-1], strict=True):
        count += here
        yield bound, count
