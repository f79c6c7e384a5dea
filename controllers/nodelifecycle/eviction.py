"""When a pod must leave its node for the node's NoExecute taints. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from api.taints import tolerates
from api.types import core_v1
from controllers import objects
from controllers.nodelifecycle.taints import NOT_READY, UNREACHABLE

Taint = core_v1.Taint

_BY_HEALTH = frozenset((NOT_READY, UNREACHABLE))


def no_execute(taints: Iterable[Taint] | None) -> list[Taint]:
    return [each for each in taints or () if each.effect == "NoExecute"]


def leaves_at(pod: core_v1.Pod, taints: Iterable[Taint], now: datetime, patience: float) -> datetime | None:
    """When the pod must go at the latest; None if it may stay for good.

    `patience` is for how many seconds a pod that says nothing about it bears its node being lost or not ready.
    """
    times = [time for taint in taints if (time := _leaves_at(pod, taint, now, patience)) is not None]
    return min(times, default=None)


def _leaves_at(pod: core_v1.Pod, taint: Taint, now: datetime, patience: float) -> datetime | None:
    tolerations = (pod.spec.tolerations if pod.spec else None) or ()
    toleration = next((each for each in tolerations if tolerates(each, taint)), None)
    if toleration is None:
        seconds = patience if taint.key in _BY_HEALTH else 0.0
    elif toleration.tolerationSeconds is None:
        return None
    else:
        seconds = max(0, toleration.tolerationSeconds)
    return _begin(pod, taint, now) + timedelta(seconds=seconds)


def _begin(pod: core_v1.Pod, taint: Taint, now: datetime) -> datetime:
    """Since when the pod bears the taint: not before both were there."""
    came = (pod.status.startTime if pod.status else None) or objects.meta(pod).creationTimestamp or now
    return max(taint.timeAdded or now, came)
