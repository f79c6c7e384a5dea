"""The conditions of a pod's status, with the reasons and sentences that Kubernetes gives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from api.types import core_v1
from kubelet.lifecycle.restart import initialized
from kubelet.lifecycle.view import View

OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


def conditions(
    view: View,
    phase: str,
    inits: Sequence[core_v1.ContainerStatus],
    mains: Sequence[core_v1.ContainerStatus],
    now: float,
) -> list[core_v1.PodCondition]:
    """Ours, made anew, and everybody else's, kept."""
    told = {each.type: each for each in (view.pod.status.conditions or ()) if each} if view.pod.status else {}
    containers = _containers_ready(phase, mains)
    made = [
        _Verdict("PodReadyToStartContainers", view.wired),
        _initialized(view, phase, inits),
        _ready(view, containers, told),
        containers,
    ]
    at = datetime.fromtimestamp(int(now), UTC)
    ours = [each.condition(told.get(each.type), at) for each in made]
    if "PodScheduled" not in told:
        ours.append(_Verdict("PodScheduled", True).condition(None, at))
    return ours + [each for kind, each in told.items() if kind not in OURS]


class _Verdict:
    """A condition before it has a time."""

    def __init__(self, kind: str, holds: bool, reason: str = "", message: str = "") -> None:
        self.type, self.holds, self.reason, self.message = kind, holds, reason, message

    def condition(self, told: core_v1.PodCondition | None, at: datetime) -> core_v1.PodCondition:
        status = "True" if self.holds else "False"
        since = told.lastTransitionTime if told is not None and told.status == status else None
        return core_v1.PodCondition(
            type=self.type,
            status=status,
            reason=self.reason or None,
            message=self.message or None,
            lastTransitionTime=since or at,
        )


def _initialized(view: View, phase: str, inits: Sequence[core_v1.ContainerStatus]) -> _Verdict:
    kind = "Initialized"
    if phase == "Succeeded":
        return _Verdict(kind, True, "PodCompleted")
    if initialized(view):
        return _Verdict(kind, True)
    names = " ".join(each.name for each in inits if not each.ready)
    return _Verdict(kind, False, "ContainersNotInitialized", f"containers with incomplete status: [{names}]")


def _containers_ready(phase: str, mains: Sequence[core_v1.ContainerStatus]) -> _Verdict:
    kind = "ContainersReady"
    if phase == "Succeeded":
        return _Verdict(kind, False, "PodCompleted")
    if phase == "Failed":
        return _Verdict(kind, False, "PodFailed")
    unready = " ".join(each.name for each in mains if not each.ready)
    if unready:
        return _Verdict(kind, False, "ContainersNotReady", f"containers with unready status: [{unready}]")
    return _Verdict(kind, True)


def _ready(view: View, containers: _Verdict, told: dict[str, core_v1.PodCondition]) -> _Verdict:
    if not containers.holds:
        return _Verdict("Ready", False, containers.reason, containers.message)
    for gate in view.spec.readinessGates or ():
        condition = told.get(gate.conditionType)
        if condition is None:
            message = f'corresponding condition of pod readiness gate "{gate.conditionType}" does not exist.'
            return _Verdict("Ready", False, "ReadinessGatesNotReady", message)
        if condition.status != "True":
            message = f'the status of pod readiness gate "{gate.conditionType}" is not "True", but {condition.status}'
            return _Verdict("Ready", False, "ReadinessGatesNotReady", message)
    return _Verdict("Ready", True)
