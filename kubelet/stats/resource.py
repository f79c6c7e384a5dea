"""`/metrics/resource`: what the metrics API is made from. Names and labels are Kubernetes'."""

from __future__ import annotations

from kubelet.cgroups.stats import Usage
from kubelet.stats.exposition import Family, page
from kubelet.stats.sample import NodeSample

_CPU = "Cumulative cpu time consumed by the {} in core-seconds"
_MEMORY = "Current working set of the {} in bytes"
_SWAP = "Current swap usage of the {} in bytes. Reported only on non-windows systems"


def render(sample: NodeSample | None) -> str:
    """The page; None for a sample that could not be had."""
    broken = [Family(name, "1 if there was an error while getting container metrics, 0 otherwise") for name in _ERRORS]
    for each in broken:
        each.add(sample is None)
    return page([*(_families(sample) if sample is not None else ()), *broken])


_ERRORS = ("resource_scrape_error", "scrape_error")


def _families(sample: NodeSample) -> list[Family]:
    cpu = {what: Family(f"{what}_cpu_usage_seconds_total", _CPU.format(what), "counter") for what in _WHAT}
    memory = {what: Family(f"{what}_memory_working_set_bytes", _MEMORY.format(what)) for what in _WHAT}
    swap = {what: Family(f"{what}_swap_usage_bytes", _SWAP.format(what)) for what in _WHAT}
    started = Family("container_start_time_seconds", "Start time of the container since unix epoch in seconds")
    rows: list[tuple[str, dict[str, str], float, Usage]] = [("node", {}, sample.at, sample.usage)]
    for pod in sample.pods:
        names = {"namespace": pod.of.namespace, "pod": pod.of.name}
        rows.append(("pod", names, pod.at, pod.usage))
        for each in pod.containers:
            labels = {"container": each.of.name, **names}
            rows.append(("container", labels, each.at, each.usage))
            started.add(each.of.started_at, labels)
    for what, labels, at, usage in rows:
        if usage.cpu is not None:
            cpu[what].add(usage.cpu.usage / 1e9, labels, at)
        if usage.memory is not None:
            memory[what].add(usage.memory.working_set, labels, at)
            swap[what].add(usage.memory.swap, labels, at)
    return [*cpu.values(), *memory.values(), *swap.values(), started]


_WHAT = ("container", "node", "pod")
