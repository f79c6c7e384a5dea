"""A cordoned node takes no new pods, except those that tolerate just that."""

from __future__ import annotations

from collections.abc import Iterable

from scheduler.framework import Filter, Happening, Reason
from scheduler.podinfo import PodInfo, Taint
from scheduler.snapshot import Snapshot
from scheduler.tables import Mask

_CORDON = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


class NodeUnschedulable(Filter):
    name = "NodeUnschedulable"
    helped_by = Happening.NODE_ADDED | Happening.NODE_CHANGED

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if not nodes.cordoned or any(each.tolerates(_CORDON) for each in pod.tolerations):
            return None
        return ~nodes.unschedulable

    def explain(self, pod: PodInfo, nodes: Snapshot, rejected: Mask) -> Iterable[Reason]:
        return [Reason("node(s) were unschedulable", rejected, final=True)]
