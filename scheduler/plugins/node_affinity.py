"""The labels a pod wants of its node: selector and required affinity decide, preferred affinity adds to the score."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scheduler.framework import MAX_SCORE, Filter, Happening, Reason, Score
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Floats, Mask


class NodeAffinity(Filter, Score):
    name = "NodeAffinity"
    helped_by = Happening.NODE_ADDED | Happening.NODE_CHANGED | Happening.POD_CHANGED
    weight = 2.0

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        return None if pod.wish is None else nodes.labels.matching(pod.wish)

    def explain(self, pod: PodInfo, nodes: Snapshot, rejected: Mask) -> Iterable[Reason]:
        return [Reason("node(s) didn't match Pod's node affinity/selector", rejected, final=True)]

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Floats | None:
        if not pod.preferred:
            return None
        total = np.zeros(len(feasible), np.float64)
        for weight, term in pod.preferred:
            total += weight * nodes.labels.term(term)
        highest = float(total.max(where=feasible, initial=0.0))
        return total * (MAX_SCORE / highest) if highest > 0 else None
