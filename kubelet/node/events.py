"""What is said about the node when its status changes: pure. Reasons and sentences are Kubernetes'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from api.types import core_v1


class Said(NamedTuple):
    kind: Literal["Normal", "Warning"]
    reason: str
    message: str


_REASONS = {
    ("MemoryPressure", "True"): "NodeHasInsufficientMemory",
    ("MemoryPressure", "False"): "NodeHasSufficientMemory",
    ("DiskPressure", "True"): "NodeHasDiskPressure",
    ("DiskPressure", "False"): "NodeHasNoDiskPressure",
    ("PIDPressure", "True"): "NodeHasInsufficientPID",
    ("PIDPressure", "False"): "NodeHasSufficientPID",
    ("Ready", "True"): "NodeReady",
    ("Ready", "False"): "NodeNotReady",
}


def started() -> Iterator[Said]:
    yield Said("Normal", "Starting", "Starting kubelet.")
    yield Said("Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")


def changes(name: str, before: core_v1.NodeStatus | None, after: core_v1.NodeStatus) -> Iterator[Said]:
    """A boot, and each condition that is another than before."""
    booted, boots = _boot(before), _boot(after)
    if booted and boots and booted != boots:
        yield Said("Warning", "Rebooted", f"Node {name} has been rebooted, boot id: {boots}")
    was = {each.type: each.status for each in (before.conditions or ())} if before is not None else {}
    for each in after.conditions or ():
        reason = _REASONS.get((each.type, each.status))
        if reason is not None and was.get(each.type) != each.status:
            yield status_is(name, reason)


def status_is(name: str, reason: str) -> Said:
    return Said("Normal", reason, f"Node {name} status is now: {reason}")


def schedulable(name: str, before: core_v1.Node | None, after: core_v1.Node) -> Iterator[Said]:
    """A node that was closed to new pods, or opened again."""
    was, holds = before is not None and _closed(before), _closed(after)
    if was != holds and before is not None:
        yield status_is(name, "NodeNotSchedulable" if holds else "NodeSchedulable")


def _closed(node: core_v1.Node) -> bool:
    return bool(node.spec is not None and node.spec.unschedulable)


def _boot(status: core_v1.NodeStatus | None) -> str:
    return status.nodeInfo.bootID if status is not None and status.nodeInfo is not None else ""
