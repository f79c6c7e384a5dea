"""emptyDir volumes: a folder on the disk, a tmpfs, or huge pages."""

from __future__ import annotations

import os
from pathlib import Path

from api.quantity import value
from api.types import core_v1
from kubelet.volumes import mount, ownership
from kubelet.volumes.problem import MountError

HUGE_PAGES = Path("/sys/kernel/mm/hugepages")
_HUGE = "HugePages"
_PREFIX = "hugepages-"


def set_up(source: core_v1.EmptyDirVolumeSource, target: Path, spec: core_v1.PodSpec, node_memory: int) -> None:
    """Make the volume; one that is there stays as it is. Raises MountError or OSError."""
    fresh = not target.exists()
    target.mkdir(parents=True, exist_ok=True)
    medium = source.medium or ""
    if medium == "Memory":
        if not os.path.ismount(target):
            mount.mount_tmpfs(target, memory_size(source, spec, node_memory))
    elif medium.startswith(_HUGE):
        if not os.path.ismount(target):
            mount.mount_huge_pages(target, _offered(page_size(medium, spec)))
    elif medium:
        raise MountError(f"unknown storage medium {medium!r}")
    if fresh or medium:
        target.chmod(0o777)
    group = spec.securityContext.fsGroup if spec.securityContext else None
    if group is not None:
        ownership.give(target, group, None if fresh else "OnRootMismatch")


def memory_size(source: core_v1.EmptyDirVolumeSource, spec: core_v1.PodSpec, node_memory: int) -> int:
    """How large a tmpfs may grow, in bytes: the smallest of its own limit, the pod's and the node's memory. 0: the
    kernel's own limit."""
    asked = value(source.sizeLimit) if source.sizeLimit else 0
    return min((size for size in (asked, _memory_limit(spec), node_memory) if size > 0), default=0)


def _memory_limit(spec: core_v1.PodSpec) -> int:
    """All of the pod's containers' memory; 0 if one of them has no limit."""
    whole = spec.resources.limits if spec.resources else None
    if whole and "memory" in whole:
        return value(whole["memory"])
    limits = [each.resources.limits if each.resources else None for each in spec.containers]
    if not all(each and "memory" in each for each in limits):
        return 0
    return sum(value(each["memory"]) for each in limits if each)


def page_size(medium: str, spec: core_v1.PodSpec) -> int:
    """The size of the pages in bytes: `HugePages-2Mi` names it, `HugePages` takes the one size that the pod asks for.
    Raises MountError."""
    if medium.startswith(f"{_HUGE}-"):
        return value(medium.removeprefix(f"{_HUGE}-"))
    asked = {
        name.removeprefix(_PREFIX)
        for each in [*spec.containers, *(spec.initContainers or ())]
        for name in (each.resources.requests or {} if each.resources else {})
        if name.startswith(_PREFIX)
    }
    if len(asked) != 1:
        how = "multiple page sizes" if asked else "no page size"
        raise MountError(f"medium {medium!r} is used, but the containers' requests tell {how}")
    return value(asked.pop())


def _offered(size: int) -> int:
    """Raises MountError when the node has no pages of that size."""
    if not (HUGE_PAGES / f"hugepages-{size // 1024}kB").is_dir():
        raise MountError(f"the node has no huge pages of {size // 1024} kB")
    return size
