"""What `kubectl get pods` shows: the one word that sums a pod up, ready containers, restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apiserver.registry.columns import NONE, since
from apiserver.registry.kind import Column, Object


@dataclass(slots=True)
class _Restarts:
    """How often, and the last time."""

    count: int = 0
    last: str = ""

    def add(self, status: Object) -> None:
        self.count += status.get("restartCount") or 0
        ended = (status.get("lastState") or {}).get("terminated") or {}
        # Times on the wire have one form and zone, so that text order is time order.
        self.last = max(self.last, ended.get("finishedAt") or "")

    def text(self, now: datetime) -> str:
        if self.count and self.last:
            return f"{self.count} ({since(self.last, now)} ago)"
        return str(self.count)


@dataclass(slots=True)
class Summary:
    reason: str
    ready: int
    total: int
    restarts: _Restarts


def summary(pod: Object) -> Summary:
    """A pod in one word (`Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`, …), as kubectl's users know it."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    before = spec.get("initContainers") or ()
    sidecars = {each.get("name") for each in before if each.get("restartPolicy") == "Always"}
    result = Summary(
        status.get("reason") or status.get("phase") or "",
        0,
        len(spec.get("containers") or ()) + len(sidecars),
        _Restarts(),
    )
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    if (conditions.get("PodScheduled") or {}).get("reason") == "SchedulingGated":
        result.reason = "SchedulingGated"
    of_sidecars = _Restarts()
    initializing = _initializing(result, status, len(before), sidecars, of_sidecars)
    if not initializing or _holds(conditions, "Initialized"):
        result.restarts = of_sidecars
        _running(result, status, ready=_holds(conditions, "Ready"))
    _deleted(result, pod, status)
    return result


def _holds(conditions: dict[Any, Object], kind: str) -> bool:
    return (conditions.get(kind) or {}).get("status") == "True"


def _initializing(result: Summary, status: Object, total: int, sidecars: set[Any], of_sidecars: _Restarts) -> bool:
    """Go through the init containers up to the first that is not done; says whether there is one."""
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        result.restarts.add(container)
        sidecar = container.get("name") in sidecars
        if sidecar:
            of_sidecars.add(container)
        state = container.get("state") or {}
        ended = state.get("terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if sidecar and container.get("started"):
            if container.get("ready"):
                result.ready += 1
            continue
        waiting = (state.get("waiting") or {}).get("reason")
        if ended is not None:
            result.reason = f"Init:{ended.get('reason') or _exit(ended)}"
        elif waiting and waiting != "PodInitializing":
            result.reason = f"Init:{waiting}"
        else:
            result.reason = f"Init:{index}/{total}"
        return True
    return False


def _exit(ended: Object) -> str:
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode') or 0}"


def _running(result: Summary, status: Object, *, ready: bool) -> None:
    some_run = False
    for container in reversed(status.get("containerStatuses") or ()):
        result.restarts.add(container)
        state = container.get("state") or {}
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting is not None and waiting.get("reason"):
            result.reason = waiting["reason"]
        elif ended is not None:
            result.reason = ended.get("reason") or _exit(ended)
        elif container.get("ready") and state.get("running") is not None:
            some_run = True
            result.ready += 1
    if result.reason == "Completed" and some_run:
        result.reason = "Running" if ready else "NotReady"


def _deleted(result: Summary, pod: Object, status: Object) -> None:
    if not pod["metadata"].get("deletionTimestamp"):
        return
    if status.get("reason") == "NodeLost":
        result.reason = "Unknown"
    elif status.get("phase") not in ("Failed", "Succeeded"):
        result.reason = "Terminating"


def _ready(pod: Object, now: datetime) -> str:
    result = summary(pod)
    return f"{result.ready}/{result.total}"


def _status(pod: Object, now: datetime) -> str:
    return summary(pod).reason


def _restarts(pod: Object, now: datetime) -> str:
    return summary(pod).restarts.text(now)


def _ip(pod: Object, now: datetime) -> str:
    addresses = (pod.get("status") or {}).get("podIPs") or ()
    return (addresses[0].get("ip") if addresses else None) or NONE


def _node(pod: Object, now: datetime) -> str:
    return (pod.get("spec") or {}).get("nodeName") or NONE


def _nominated(pod: Object, now: datetime) -> str:
    return (pod.get("status") or {}).get("nominatedNodeName") or NONE


def _gates(pod: Object, now: datetime) -> str:
    gates = (pod.get("spec") or {}).get("readinessGates") or ()
    if not gates:
        return NONE
    conditions = (pod.get("status") or {}).get("conditions") or ()
    true = {each.get("type") for each in conditions if each.get("status") == "True"}
    return f"{sum(gate.get('conditionType') in true for gate in gates)}/{len(gates)}"


COLUMNS = (
    Column("Ready", _ready, description="The aggregate readiness state of this pod for accepting traffic."),
    Column("Status", _status, description="The aggregate status of the containers in this pod."),
    Column(
        "Restarts",
        _restarts,
        description="The number of times the containers in this pod have been restarted and when the last one was.",
    ),
    Column("IP", _ip, description="The pod's address.", priority=1),
    Column("Node", _node, description="The node that runs the pod.", priority=1),
    Column("Nominated Node", _nominated, description="The node where others make room for the pod.", priority=1),
    Column("Readiness Gates", _gates, description="How many of its readiness gates hold.", priority=1),
)
