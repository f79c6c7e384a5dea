"""`/metrics/cadvisor`: the series of cAdvisor's that dashboards and alerts are made of, with its labels. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubelet.cgroups.stats import Usage
from kubelet.node.machine import Machine
from kubelet.stats.exposition import Family, page, written
from kubelet.stats.sample import ContainerSample, Interface, NodeSample, PodSample

Labels = str
"""As they are written: a container's are the same in all its samples."""

_COUNTERS = {
    "container_cpu_usage_seconds_total": "Cumulative cpu time consumed in seconds.",
    "container_cpu_cfs_periods_total": "Number of elapsed enforcement period intervals.",
    "container_cpu_cfs_throttled_periods_total": "Number of throttled period intervals.",
    "container_cpu_cfs_throttled_seconds_total": "Total time duration the container has been throttled.",
    "container_memory_failures_total": "Cumulative count of memory allocation failures.",
    "container_network_receive_bytes_total": "Cumulative count of bytes received",
    "container_network_receive_packets_total": "Cumulative count of packets received",
    "container_network_receive_errors_total": "Cumulative count of errors encountered while receiving",
    "container_network_receive_packets_dropped_total": "Cumulative count of packets dropped while receiving",
    "container_network_transmit_bytes_total": "Cumulative count of bytes transmitted",
    "container_network_transmit_packets_total": "Cumulative count of packets transmitted",
    "container_network_transmit_errors_total": "Cumulative count of errors encountered while transmitting",
    "container_network_transmit_packets_dropped_total": "Cumulative count of packets dropped while transmitting",
}
_GAUGES = {
    "container_memory_usage_bytes": "Current memory usage in bytes, including all memory regardless of when it was "
    "accessed",
    "container_memory_working_set_bytes": "Current working set in bytes.",
    "container_memory_rss": "Size of RSS in bytes.",
    "container_memory_cache": "Number of bytes of page cache memory.",
    "container_memory_swap": "Container swap usage in bytes.",
    "container_processes": "Number of processes running inside the container.",
    "container_last_seen": "Last time a container was seen by the exporter",
    "container_start_time_seconds": "Start time of the container since unix epoch in seconds.",
    "container_fs_usage_bytes": "Number of bytes that are consumed by the container on this filesystem.",
    "container_fs_limit_bytes": "Number of bytes that can be consumed by the container on this filesystem.",
    "container_fs_inodes_total": "Number of Inodes",
    "container_fs_inodes_free": "Number of available Inodes",
    "container_spec_cpu_period": "CPU period of the container.",
    "container_spec_cpu_quota": "CPU quota of the container.",
    "container_spec_cpu_shares": "CPU share of the container.",
    "container_spec_memory_limit_bytes": "Memory limit for the container.",
    "container_scrape_error": "1 if there was an error while getting container metrics, 0 otherwise",
    "machine_cpu_cores": "Number of logical CPU cores.",
    "machine_memory_bytes": "Amount of memory installed on the machine.",
    "machine_swap_bytes": "Amount of swap memory available on the machine.",
}
_MACHINE = ("machine_id", "system_uuid", "boot_id")


def render(sample: NodeSample, machine: Machine, pods_cgroup: str) -> str:
    families = {name: Family(name, help, "counter") for name, help in _COUNTERS.items()}
    families |= {name: Family(name, help) for name, help in _GAUGES.items()}
    for name, labels, value, at in _all(sample, machine, pods_cgroup):
        families[name].add(value, labels, at)
    return page(families[name] for name in sorted(families))


Sample = tuple[str, Labels, float, float | None]


def _all(sample: NodeSample, machine: Machine, pods_cgroup: str) -> Iterator[Sample]:
    yield "container_scrape_error", "", 0, None
    yield from _cgroup(_labels("/"), sample.usage, sample.at)
    yield from _network(_labels("/"), sample.network, sample.at)
    yield from _cgroup(_labels(f"/{pods_cgroup}"), sample.all_pods, sample.at)
    if sample.disk is not None:
        device = _on_device(_labels("/"))
        yield "container_fs_usage_bytes", device, sample.disk.used, sample.at
        yield "container_fs_limit_bytes", device, sample.disk.capacity, sample.at
        yield "container_fs_inodes_total", device, sample.disk.inodes, sample.at
        yield "container_fs_inodes_free", device, sample.disk.inodes_free, sample.at
    for pod in sample.pods:
        yield from _pod(pod)
    known = written({name: str(getattr(machine, name)) for name in _MACHINE})
    yield "machine_cpu_cores", known, machine.cpus, None
    yield "machine_memory_bytes", known, machine.memory, None
    yield "machine_swap_bytes", known, sample.swap.total, None


def _labels(cgroup: str, pod: PodSample | None = None, container: ContainerSample | None = None) -> Labels:
    of = container.of if container is not None else None
    # The pause container is cAdvisor's container without a name.
    name = of.name if of is not None and of.name != "POD" else ""
    return written(
        {
            "container": name,
            "id": cgroup,
            "image": of.image if of is not None else "",
            "name": of.id if of is not None else "",
            "namespace": pod.of.namespace if pod is not None else "",
            "pod": pod.of.name if pod is not None else "",
        }
    )


def _on_device(labels: Labels) -> Labels:
    return f'device="/",{labels}'


def _pod(pod: PodSample) -> Iterator[Sample]:
    yield from _cgroup(_labels(f"/{pod.of.cgroup}", pod), pod.usage, pod.at)
    if pod.sandbox is not None:
        # As cAdvisor has it, the pod's traffic is its pause container's.
        yield from _container(pod, pod.sandbox)
        yield from _network(_labels(f"/{pod.sandbox.of.cgroup}", pod, pod.sandbox), pod.network, pod.at)
    for each in pod.containers:
        yield from _container(pod, each)


def _container(pod: PodSample, container: ContainerSample) -> Iterator[Sample]:
    labels, at = _labels(f"/{container.of.cgroup}", pod, container), container.at
    yield from _cgroup(labels, container.usage, at)
    yield "container_start_time_seconds", labels, container.of.started_at, at
    if container.usage.pids is not None:
        yield "container_processes", labels, container.usage.pids, at
    if container.writable is not None:
        taken = container.writable.bytes + (container.logs.bytes if container.logs is not None else 0)
        yield "container_fs_usage_bytes", _on_device(labels), taken, at
    for name, value in container.of.spec.items():
        yield f"container_spec_{name}", labels, value, at


def _cgroup(labels: Labels, usage: Usage, at: float) -> Iterator[Sample]:
    yield "container_last_seen", labels, int(at), at
    cpu, memory = usage.cpu, usage.memory
    if cpu is not None:
        yield "container_cpu_usage_seconds_total", f'{labels},cpu="total"', cpu.usage / 1e9, at
        if cpu.periods:
            yield "container_cpu_cfs_periods_total", labels, cpu.periods, at
            yield "container_cpu_cfs_throttled_periods_total", labels, cpu.throttled_periods, at
            yield "container_cpu_cfs_throttled_seconds_total", labels, cpu.throttled / 1e9, at
    if memory is not None:
        yield "container_memory_usage_bytes", labels, memory.usage, at
        yield "container_memory_working_set_bytes", labels, memory.working_set, at
        yield "container_memory_rss", labels, memory.rss, at
        yield "container_memory_cache", labels, memory.cache, at
        yield "container_memory_swap", labels, memory.swap, at
        for failure, count in (("pgfault", memory.page_faults), ("pgmajfault", memory.major_page_faults)):
            yield "container_memory_failures_total", _failure(labels, failure), count, at


def _failure(labels: Labels, kind: str) -> Labels:
    return f'{labels},failure_type="{kind}",scope="hierarchy"'


def _network(labels: Labels, interfaces: Iterable[Interface], at: float) -> Iterator[Sample]:
    for each in interfaces:
        own = f"{labels},{written({'interface': each.name})}"
        for way, short in (("receive", "rx"), ("transmit", "tx")):
            for what, field in _COUNTED.items():
                yield f"container_network_{way}_{what}_total", own, getattr(each, f"{short}_{field}"), at


_COUNTED = {"bytes": "bytes", "packets": "packets", "errors": "errors", "packets_dropped": "dropped"}
