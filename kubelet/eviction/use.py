"""What pods use of what can run short, and in which order they go: Kubernetes' ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from api.quantity import canonical, format_bytes, value
from api.types import core_v1
from kubelet.pod.resources import pod_amounts
from kubelet.static.annotations import is_mirror, is_static
from kubelet.stats.file_system import NOTHING, Taken

CRITICAL = 2_000_000_000
"""system-cluster-critical's priority: such pods are never evicted."""


@dataclass(frozen=True, slots=True)
class ContainerUse:
    memory: int = 0
    writable: Taken = NOTHING
    logs: Taken = NOTHING

    @property
    def disk(self) -> Taken:
        return self.writable + self.logs


@dataclass(frozen=True, slots=True)
class PodUse:
    """A pod's use. `known` is False for one of which nothing could be read: it goes first."""

    pod: core_v1.Pod
    memory: int = 0
    pids: int = 0
    containers: Mapping[str, ContainerUse] = field(default_factory=dict)
    volumes: Mapping[str, Taken] = field(default_factory=dict)
    """What each emptyDir takes on disk."""
    known: bool = True

    @property
    def spec(self) -> core_v1.PodSpec:
        assert self.pod.spec is not None
        return self.pod.spec

    @property
    def disk(self) -> Taken:
        return sum((each.disk for each in self.containers.values()), sum(self.volumes.values(), NOTHING))

    @property
    def priority(self) -> int:
        return self.spec.priority or 0


def is_critical(pod: core_v1.Pod) -> bool:
    """A static pod, or one of the highest priority: the node is worth nothing without it."""
    priority = (pod.spec.priority or 0) if pod.spec is not None else 0
    return is_static(pod) or is_mirror(pod) or priority >= CRITICAL


def ranked(pods: Iterable[PodUse], resource: str) -> list[PodUse]:
    """The order in which pods are evicted when a resource runs short."""
    order = {"memory": _by(lambda use: use.memory, "memory"), "pids": _by_processes}.get(resource)
    if order is None:
        measured = (lambda use: use.disk.inodes) if resource == "inodes" else (lambda use: use.disk.bytes)
        order = _by(measured, resource)
    return sorted(pods, key=order)


def _by(used: Callable[[PodUse], int], resource: str) -> Callable[[PodUse], tuple[bool, bool, int, int]]:
    """First what takes more than it asked for, then by priority, then what takes most beyond what it asked for."""

    def key(use: PodUse) -> tuple[bool, bool, int, int]:
        over = used(use) - pod_amounts(use.spec, "requests").get(resource, 0)
        return use.known, over <= 0, use.priority, -over

    return key


def _by_processes(use: PodUse) -> tuple[bool, int, int]:
    return use.known, use.priority, -use.pids


def offenders(use: PodUse, resource: str) -> str:
    """The part of an eviction's message that names the containers which take more than they asked for."""
    said = ""
    whole = use.spec.resources.requests if use.spec.resources is not None else None
    if resource == "memory" and whole and "memory" in whole:
        name = use.pod.metadata.name if use.pod.metadata else ""
        said += _consumer("Pod", str(name), use.memory, canonical(whole["memory"]), resource)
    for container in [*use.spec.containers, *(use.spec.initContainers or ())]:
        found = use.containers.get(container.name)
        taken = {"memory": found.memory, "ephemeral-storage": found.disk.bytes}.get(resource) if found else None
        asked = (container.resources.requests or {}).get(resource, "0") if container.resources else "0"
        if taken is not None and taken > value(asked):
            said += _consumer("Container", container.name, taken, canonical(asked), resource)
    return said


def _consumer(kind: str, name: str, used: int, asked: str, resource: str) -> str:
    return f"{kind} {name} was using {format_bytes(used)}, request is {asked}, has larger consumption of {resource}. "
