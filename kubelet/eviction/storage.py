"""Pods that take more disk than they may: an emptyDir beyond its size limit, a container's writable layer and logs
beyond its limit of ephemeral storage, all of a pod beyond the limits' sum. Pure."""

from __future__ import annotations

from api.quantity import canonical, format_bytes, value
from api.types import core_v1
from kubelet.eviction.decide import HARD_GRACE, Evict
from kubelet.eviction.use import PodUse, is_critical
from kubelet.pod.resources import amounts, pod_amounts

STORAGE = "ephemeral-storage"


def is_limited(pod: core_v1.Pod) -> bool:
    """Whether the pod's disk has to be measured at all."""
    spec = pod.spec
    if spec is None:
        return False
    sized = any(each.emptyDir is not None and each.emptyDir.sizeLimit for each in spec.volumes or ())
    return sized or bool(pod_amounts(spec, "limits").get(STORAGE))


def overrun(use: PodUse) -> Evict | None:
    """Why this pod has to end, if it has."""
    if is_critical(use.pod):
        return None
    said, signal = _volume(use), "emptydirfs.limit"
    if not said:
        said, signal = _pod(use), "ephemeralpodfs.limit"
    if not said:
        said, signal = _container(use), "ephemeralcontainerfs.limit"
    return Evict(use, said, HARD_GRACE, signal, disruption=False) if said else None


def _volume(use: PodUse) -> str:
    for volume in use.spec.volumes or ():
        limit = volume.emptyDir.sizeLimit if volume.emptyDir is not None else None
        taken = use.volumes.get(volume.name)
        if limit and value(limit) > 0 and taken is not None and taken.bytes > value(limit):
            return f'Usage of EmptyDir volume "{volume.name}" exceeds the limit "{canonical(limit)}". '
    return ""


def _pod(use: PodUse) -> str:
    limit = pod_amounts(use.spec, "limits").get(STORAGE, 0)
    if not limit or use.disk.bytes <= limit:
        return ""
    return f"Pod ephemeral local storage usage exceeds the total limit of containers {format_bytes(limit)}. "


def _container(use: PodUse) -> str:
    for container in use.spec.containers:
        limit = amounts(container, "limits").get(STORAGE)
        found = use.containers.get(container.name)
        if limit and found is not None and value(limit) and found.disk.bytes > value(limit):
            return f'Container {container.name} exceeded its local ephemeral storage limit "{canonical(limit)}". '
    return ""
