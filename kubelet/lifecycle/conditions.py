"""The conditions of a pod's status, with the reasons and sentences that Kubernetes gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.types import core_v1
from kubelet.lifecycle.resize import IN_PROGRESS, PENDING
from kubelet.lifecycle.restart import current, initialized
from kubelet.lifecycle.view import View

DISRUPTION = "DisruptionTarget"
RESIZES = (PENDING, IN_PROGRESS)
OURS = ("AllContainersRestarting", "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", *RESIZES)


def conditions(
    view: View,
    phase: str,
    inits: Sequence[core_v1.ContainerStatus],
    mains: Sequence[core_v1.ContainerStatus],
    now: float,
) -> list[core_v1.PodCondition]:
    """Ours, made anew, and everybody else's, kept. `phase` is the one that the pod comes to."""
    told = {each.type: each for each in (view.pod.status.conditions or ()) if each} if view.pod.status else {}
    sidecars = [each for each in inits if each.name in view.sidecars]
    containers = _containers_ready(phase, [*sidecars, *mains])
    made = [
        _Verdict("PodReadyToStartContainers", view.wired),
        _initialized(view, phase, inits, sidecars),
        _ready(view, containers, told),
        containers,
    ]
    if view.evicted is not None and view.evicted.disruption:
        made.insert(0, _Verdict(DISRUPTION, True, "TerminationByKubelet", view.evicted.message))
    if view.restarting_all or "AllContainersRestarting" in told:
        made.insert(0, _Verdict("AllContainersRestarting", view.restarting_all))
    made += _resizes(view)
    at = datetime.fromtimestamp(int(now), UTC)
    generation = view.pod.metadata.generation if view.pod.metadata is not None else None
    ours = [each.condition(told.get(each.type), at, generation) for each in made]
    ours.append(_Verdict("PodScheduled", True).condition(told.get("PodScheduled"), at, generation))
    fresh = {*RESIZES, *(each.type for each in ours)}
    return ours + [each for kind, each in told.items() if kind not in fresh]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A condition before it has a time."""

    type: str
    holds: bool
    reason: str = ""
    message: str = ""

    def condition(
        self, told: core_v1.PodCondition | None, at: datetime, generation: int | None
    ) -> core_v1.PodCondition:
        status = "True" if self.holds else "False"
        since = told.lastTransitionTime if told is not None and told.status == status else None
        return core_v1.PodCondition(
            type=self.type,
            status=status,
            reason=self.reason or None,
            message=self.message or None,
            lastTransitionTime=since or at,
            observedGeneration=generation,
        )


def _resizes(view: View) -> list[_Verdict]:
    """A resize that has to wait, and one under way."""
    pending, found = view.resizing.pending, []
    if pending is not None:
        found.append(_Verdict(PENDING, True, pending.reason, pending.message))
    if view.outdated:
        failure = view.failures.get("resize")
        why = (failure.reason, failure.message) if failure is not None else ()
        found.append(_Verdict(IN_PROGRESS, True, *why))
    return found


def _initialized(
    view: View,
    phase: str,
    inits: Sequence[core_v1.ContainerStatus],
    sidecars: Sequence[core_v1.ContainerStatus],
) -> _Verdict:
    kind = "Initialized"
    if phase == "Succeeded":
        return _Verdict(kind, True, "PodCompleted")
    if initialized(view) or any(current(view, each.name) for each in view.spec.containers):
        return _Verdict(kind, True)
    incomplete = [each for each in inits if not (each.started if each in sidecars else each.ready)]
    return _Verdict(kind, False, "ContainersNotInitialized", f"containers with incomplete status: {_names(incomplete)}")


def _containers_ready(phase: str, counted: Sequence[core_v1.ContainerStatus]) -> _Verdict:
    kind = "ContainersReady"
    if phase == "Succeeded":
        return _Verdict(kind, False, "PodCompleted")
    if phase == "Failed":
        return _Verdict(kind, False, "PodFailed")
    unready = [each for each in counted if not each.ready]
    if unready:
        return _Verdict(kind, False, "ContainersNotReady", f"containers with unready status: {_names(unready)}")
    return _Verdict(kind, True)


def _ready(view: View, containers: _Verdict, told: dict[str, core_v1.PodCondition]) -> _Verdict:
    if not containers.holds:
        return _Verdict("Ready", False, containers.reason, containers.message)
    missing = []
    for gate in view.spec.readinessGates or ():
        condition = told.get(gate.conditionType)
        if condition is None:
            missing.append(f'corresponding condition of pod readiness gate "{gate.conditionType}" does not exist.')
        elif condition.status != "True":
            missing.append(
                f'the status of pod readiness gate "{gate.conditionType}" is not "True", but {condition.status}'
            )
    return _Verdict("Ready", not missing, "ReadinessGatesNotReady" if missing else "", ", ".join(missing))


def _names(statuses: Iterable[core_v1.ContainerStatus]) -> str:
    return f"[{' '.join(each.name for each in statuses)}]"
