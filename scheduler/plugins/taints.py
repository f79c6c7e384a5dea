"""Taints keep pods off nodes unless they tolerate them; those that only say PreferNoSchedule make a node less liked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scheduler.framework import MAX_SCORE, Filter, Happening, Score
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Floats, Mask, bare

_HARD = ("NoSchedule", "NoExecute")
_SOFT = ("PreferNoSchedule",)


class TaintToleration(Filter, Score):
    name = "TaintToleration"
    helped_by = Happening.NODE_ADDED | Happening.NODE_CHANGED | Happening.POD_CHANGED
    weight = 3.0

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if not nodes.taints.tainted:
            return None
        return np.equal(nodes.taints.untolerated(pod.tolerations, _HARD), 0)

    def explain(self, pod: PodInfo, nodes: Snapshot, row: int) -> tuple[Sequence[str], bool]:
        first = bare(nodes.taints.sets[nodes.taints.set_of[row]], pod.tolerations, _HARD)[0]
        return [f"node(s) had untolerated taint {first}"], True

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Floats | None:
        if not nodes.taints.tainted:
            return None
        counts = nodes.taints.untolerated(pod.tolerations, _SOFT)
        highest = int(counts.max(where=feasible, initial=0))
        return np.subtract(MAX_SCORE, counts * (MAX_SCORE / highest)) if highest > 0 else None
