"""What a pod's status says, in the words controllers use: active, ready, available."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from api.types import core_v1
from controllers import objects

PENDING, RUNNING, SUCCEEDED, FAILED, UNKNOWN = "Pending", "Running", "Succeeded", "Failed", "Unknown"


def phase(pod: core_v1.Pod) -> str:
    return (pod.status.phase if pod.status else None) or PENDING


def node_name(pod: core_v1.Pod) -> str:
    return (pod.spec.nodeName if pod.spec else None) or ""


def is_terminal(pod: core_v1.Pod) -> bool:
    """Whether it has ended for good."""
    return phase(pod) in (SUCCEEDED, FAILED)


def is_active(pod: core_v1.Pod) -> bool:
    """Whether it counts as a replica."""
    return not is_terminal(pod) and not objects.deleting(pod)


def is_terminating(pod: core_v1.Pod) -> bool:
    """Whether it is on its way out but not gone."""
    return not is_terminal(pod) and objects.deleting(pod)


def condition(pod: core_v1.Pod, kind: str) -> core_v1.PodCondition | None:
    conditions: Iterable[core_v1.PodCondition] = (pod.status.conditions if pod.status else None) or ()
    return next((item for item in conditions if item.type == kind), None)


def is_ready(pod: core_v1.Pod) -> bool:
    ready = condition(pod, "Ready")
    return ready is not None and ready.status == "True"


def ready_since(pod: core_v1.Pod) -> datetime | None:
    """When it became ready; None if it is not, or nobody wrote when."""
    ready = condition(pod, "Ready")
    return ready.lastTransitionTime if ready is not None and ready.status == "True" else None


def available_in(pod: core_v1.Pod, min_ready_seconds: int, now: datetime) -> float | None:
    """Seconds until it has been ready for long enough: 0 if it has, None if it is not ready."""
    if not is_ready(pod):
        return None
    if min_ready_seconds <= 0:
        return 0.0
    since = ready_since(pod)
    if since is None:
        return None
    return max(0.0, (since + timedelta(seconds=min_ready_seconds) - now).total_seconds())


def restarts(pod: core_v1.Pod) -> int:
    """The restarts of its most restarted container."""
    statuses: Iterable[core_v1.ContainerStatus] = (pod.status.containerStatuses if pod.status else None) or ()
    return max((status.restartCount for status in statuses), default=0)
