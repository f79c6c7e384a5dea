"""The taints that a node's conditions call for. Pure. Taints that somebody else put on a node are never touched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from api.types import core_v1
from controllers.nodelifecycle.health import readiness
from controllers.objects import stamp

Taint = core_v1.Taint

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"

_PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
}
_NO_SCHEDULE = frozenset((NOT_READY, UNREACHABLE, UNSCHEDULABLE, *_PRESSURES.values()))
_NO_EXECUTE = frozenset((NOT_READY, UNREACHABLE))


def taints_of(node: core_v1.Node) -> list[Taint]:
    return list((node.spec.taints if node.spec else None) or ())


def wanted_no_schedule(node: core_v1.Node) -> list[str]:
    """The keys of the taints that keep new pods away."""
    keys = [_by_readiness(node)]
    listed = (node.status.conditions if node.status else None) or ()
    keys += [_PRESSURES.get(each.type) for each in listed if each.status == "True"]
    if node.spec and node.spec.unschedulable:
        keys.append(UNSCHEDULABLE)
    return [key for key in keys if key]


def wanted_no_execute(node: core_v1.Node) -> str | None:
    """The key of the taint that sends running pods away."""
    return _by_readiness(node)


def _by_readiness(node: core_v1.Node) -> str | None:
    return {"False": NOT_READY, "Unknown": UNREACHABLE}.get(readiness(node))


def evicts(node: core_v1.Node) -> bool:
    """Whether it has one of the taints that this controller evicts by."""
    return any(each.effect == "NoExecute" and each.key in _NO_EXECUTE for each in taints_of(node))


def decide(node: core_v1.Node, evict: bool, now: datetime) -> list[Taint] | None:
    """The node's taints as they should be, or None when they are so.

    `evict` says whether a node that is not well may get its NoExecute taint now; taking one away is always allowed.
    """
    present = taints_of(node)
    no_schedule = set(_keeping(node, wanted_no_schedule(node)))
    key = wanted_no_execute(node)
    no_execute = {key} if key is not None and evict else set()
    after = [each for each in present if _stays(each, no_schedule, no_execute)]
    after += _missing(after, no_schedule, "NoSchedule", now)
    after += _missing(after, no_execute, "NoExecute", now)
    return after if after != present else None


def _keeping(node: core_v1.Node, keys: list[str]) -> list[str]:
    """A node that never reported keeps the not-ready taint it was born with."""
    if not readiness(node) and any(each.key == NOT_READY for each in taints_of(node)):
        return [*keys, NOT_READY]
    return keys


def _stays(taint: Taint, no_schedule: set[str], no_execute: set[str]) -> bool:
    if taint.effect == "NoSchedule" and taint.key in _NO_SCHEDULE:
        return taint.key in no_schedule
    if taint.effect == "NoExecute" and taint.key in _NO_EXECUTE:
        return taint.key in no_execute
    return True


def _missing(present: Iterable[Taint], keys: set[str], effect: str, now: datetime) -> list[Taint]:
    have = {each.key for each in present if each.effect == effect}
    return [Taint(key=key, effect=effect, timeAdded=stamp(now)) for key in sorted(keys - have)]
