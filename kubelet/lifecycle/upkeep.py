"""Small truths about a pod between two looks: when its time is over, when its words change, whose words are whose."""

from __future__ import annotations

import msgspec

from api.types import core_v1
from kubelet.lifecycle.conditions import OURS
from kubelet.lifecycle.states import BACK_OFF_REASON, FLIP_AFTER
from kubelet.lifecycle.view import TERMINAL, View


def with_foreign(own: core_v1.PodStatus, told: core_v1.PodStatus | None) -> core_v1.PodStatus:
    """Our last status with the conditions and fields that others wrote since; who says that the pod is at its end has
    the last word."""
    if told is None:
        return own
    if told.phase in TERMINAL and own.phase not in TERMINAL:
        own = msgspec.structs.replace(own, phase=told.phase, reason=told.reason, message=told.message)
    mine = [each for each in own.conditions or () if each.type in OURS]
    others = [each for each in told.conditions or () if each.type not in OURS]
    return msgspec.structs.replace(own, conditions=[*mine, *others], nominatedNodeName=told.nominatedNodeName)


def active_deadline(pod: core_v1.Pod, seen_at: float) -> float | None:
    """When a pod that limits its own life is over; None for one that doesn't, or has ended already."""
    status = pod.status
    if pod.spec is None or pod.spec.activeDeadlineSeconds is None or (status and status.phase in TERMINAL):
        return None
    began = status.startTime.timestamp() if status is not None and status.startTime is not None else seen_at
    return began + pod.spec.activeDeadlineSeconds


def flip_time(view: View, now: float) -> float | None:
    """When a failure's wording changes in the status."""
    times = [each.at + FLIP_AFTER for each in view.failures.values() if each.reason in BACK_OFF_REASON]
    return min((each for each in times if each > now), default=None)


def held_back(view: View, now: float) -> dict[str, float]:
    """The containers whose image is not asked for again yet, as the status tells by now, with when that failed."""
    found = {name: each.at for name, each in view.failures.items() if each.reason in BACK_OFF_REASON}
    return {name: at for name, at in found.items() if now - at >= FLIP_AFTER}
