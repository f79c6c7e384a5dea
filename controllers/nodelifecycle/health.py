"""Whether a node is lost: what its conditions must say then. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from api.types import core_v1
from controllers import objects
from controllers.objects import stamp

Condition = core_v1.NodeCondition

_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
"""What a kubelet keeps reporting, and what therefore nobody knows when it does not."""


def condition(node: core_v1.Node, kind: str) -> Condition | None:
    listed = (node.status.conditions if node.status else None) or ()
    return next((each for each in listed if each.type == kind), None)


def readiness(node: core_v1.Node) -> str:
    """The status of its Ready condition: True, False, Unknown, or nothing if it never reported."""
    ready = condition(node, "Ready")
    return ready.status if ready is not None else ""


def is_ready(node: core_v1.Node) -> bool:
    return readiness(node) == "True"


def heartbeat(node: core_v1.Node) -> object:
    """Changes whenever the kubelet writes the node's status."""
    ready = condition(node, "Ready")
    return ready.lastHeartbeatTime if ready is not None else None


def lost_in(node: core_v1.Node, seen: datetime, now: datetime, grace: float, startup_grace: float) -> float:
    """Seconds until the node counts as lost, if nothing more is heard of it; 0 or less when it is.

    `seen` is when it was last heard of. One that never reported is given `startup_grace` from its creation.
    """
    if condition(node, "Ready") is None:
        born = objects.meta(node).creationTimestamp or seen
        return startup_grace - (now - max(born, seen)).total_seconds()
    return grace - (now - seen).total_seconds()


def lost(node: core_v1.Node, now: datetime) -> list[Condition] | None:
    """The conditions of a lost node; None when they say so already."""
    before = list((node.status.conditions if node.status else None) or ())
    known: Mapping[str, Condition] = {each.type: each for each in before}
    after = [_unknown(each, now) if each.type in _REPORTED else each for each in before]
    after += [_never(node, kind, now) for kind in _REPORTED if kind not in known]
    return after if after != before else None


def _unknown(before: Condition, now: datetime) -> Condition:
    if before.status == "Unknown":
        return before
    return msgspec.structs.replace(
        before,
        status="Unknown",
        reason="NodeStatusUnknown",
        message="Kubelet stopped posting node status.",
        lastTransitionTime=stamp(now),
    )


def _never(node: core_v1.Node, kind: str, now: datetime) -> Condition:
    return Condition(
        type=kind,
        status="Unknown",
        reason="NodeStatusNeverUpdated",
        message="Kubelet never posted node status.",
        lastHeartbeatTime=objects.meta(node).creationTimestamp,
        lastTransitionTime=stamp(now),
    )
