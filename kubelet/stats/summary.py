"""`/stats/summary`: a sample in the words of Kubernetes' Summary API (stats/v1alpha1). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kubelet.cgroups.stats import Memory, Usage
from kubelet.stats.file_system import FileSystem, Taken
from kubelet.stats.rates import Rates
from kubelet.stats.sample import ContainerSample, Interface, NodeSample, PodSample, VolumeSample

Document = dict[str, Any]


def summary(sample: NodeSample, rates: Rates, node: str, booted: float, pods_cgroup: str, memory: int) -> Document:
    """`booted` is when the machine started; `memory` what it has, in bytes."""
    at = _time(sample.at)
    everything = {
        "nodeName": node,
        "systemContainers": [
            {"name": "pods", "startTime": _time(booted), **_usage(sample.all_pods, sample.at, rates.of(pods_cgroup))}
        ],
        "startTime": _time(booted),
        **_usage(sample.usage, sample.at, rates.of(""), memory),
        "network": _network(sample.network, at),
        "fs": _disk(sample.disk, at),
        "runtime": _some(imageFs=_disk(sample.images, at), containerFs=_disk(sample.images, at)) or None,
        "rlimit": {"time": at, "maxpid": sample.max_pids, "curproc": sample.processes} if sample.max_pids else None,
        "swap": {"time": at, "swapAvailableBytes": sample.swap.free, "swapUsageBytes": _swapped(sample)},
    }
    return {"node": _some(**everything), "pods": [_pod(each, sample, rates) for each in sample.pods]}


def _swapped(sample: NodeSample) -> int:
    return sample.swap.total - sample.swap.free


def _pod(pod: PodSample, node: NodeSample, rates: Rates) -> Document:
    at = _time(pod.at)
    own = [each for each in pod.volumes if not each.claim]
    parts = [each.taken for each in own] + [part for each in pod.containers for part in (each.writable, each.logs)]
    processes = {"process_count": pod.usage.pids} if pod.usage.pids is not None else None
    return _some(
        **{
            "podRef": {"name": pod.of.name, "namespace": pod.of.namespace, "uid": pod.of.uid},
            "startTime": _time(pod.of.started_at),
            "containers": [_container(each, node, rates) for each in pod.containers],
            **_usage(pod.usage, pod.at, rates.of(pod.of.cgroup)),
            "network": _network(pod.network, at),
            "volume": [_volume(each, at) for each in pod.volumes] or None,
            "ephemeral-storage": _disk(node.disk, at, _sum(parts)),
            "process_stats": processes,
        }
    )


def _container(container: ContainerSample, node: NodeSample, rates: Rates) -> Document:
    at = _time(container.at)
    return _some(
        name=container.of.name,
        startTime=_time(container.of.started_at),
        **_usage(container.usage, container.at, rates.of(container.of.cgroup)),
        rootfs=_disk(node.images, at, container.writable or Taken()),
        logs=_disk(node.images, at, container.logs or Taken()),
    )


def _volume(volume: VolumeSample, at: str) -> Document:
    claim = {"pvcRef": {"name": volume.claim.partition("/")[2], "namespace": volume.claim.partition("/")[0]}}
    # Of a claim's volume the whole file system counts: to walk it could take for ever.
    taken = None if volume.claim else volume.taken or Taken()
    said = _disk(volume.disk, at, taken) or {"time": at}
    return {**said, "name": volume.name, **(claim if volume.claim else {})}


def _usage(usage: Usage, at: float, rate: int | None, machine: int | None = None) -> Document:
    cpu = usage.cpu
    told = None if cpu is None else _some(time=_time(at), usageNanoCores=rate, usageCoreNanoSeconds=cpu.usage)
    return _some(cpu=told, memory=_memory(usage.memory, at, machine))


def _memory(memory: Memory | None, at: float, machine: int | None) -> Document | None:
    if memory is None:
        return None
    limit = machine or memory.limit
    return _some(
        time=_time(at),
        availableBytes=max(limit - memory.working_set, 0) if limit else None,
        usageBytes=memory.usage,
        workingSetBytes=memory.working_set,
        rssBytes=memory.rss,
        pageFaults=memory.page_faults,
        majorPageFaults=memory.major_page_faults,
    )


def _network(interfaces: Iterable[Interface], at: str) -> Document | None:
    told = [
        {
            "name": each.name,
            "rxBytes": each.rx_bytes,
            "rxErrors": each.rx_errors,
            "txBytes": each.tx_bytes,
            "txErrors": each.tx_errors,
        }
        for each in interfaces
    ]
    first = next((each for each in told if each["name"] == "eth0"), told[0] if told else {})
    return {"time": at, **first, "interfaces": told} if told else None


def _disk(disk: FileSystem | None, at: str, taken: Taken | None = None) -> Document | None:
    """A file system, with what something takes of it; by itself, with all that is taken."""
    if disk is None:
        return None
    return {
        "time": at,
        "availableBytes": disk.available,
        "capacityBytes": disk.capacity,
        "usedBytes": disk.used if taken is None else taken.bytes,
        "inodesFree": disk.inodes_free,
        "inodes": disk.inodes,
        "inodesUsed": disk.inodes_used if taken is None else taken.inodes,
    }


def _sum(parts: Iterable[Taken | None]) -> Taken:
    return sum((each for each in parts if each is not None), Taken())


def _some(**parts: Any) -> Document:
    return {name: value for name, value in parts.items() if value is not None}


def _time(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
