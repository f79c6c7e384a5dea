"""Taints keep pods off nodes unless they tolerate them; those that only say PreferNoSchedule make a node less liked."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scheduler.framework import MAX_SCORE, Filter, Happening, Reason, Score
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

    def explain(self, pod: PodInfo, nodes: Snapshot, rejected: Mask) -> Iterable[Reason]:
        for number in np.unique(nodes.taints.set_of[rejected]).tolist():
            first = bare(nodes.taints.sets[number], pod.tolerations, _HARD)[0]
            same = np.equal(nodes.taints.set_of, number)
            yield Reason(f"node(s) had untolerated taint {first}", same & rejected, final=True)

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Floats | None:
        if not nodes.taints.tainted:
            return None
        counts = nodes.taints.untolerated(pod.tolerations, _SOFT)
        highest = int(counts.max(where=feasible, initial=0))
        return np.subtract(MAX_SCORE, counts * (MAX_SCORE / highest)) if highest > 0 else None
