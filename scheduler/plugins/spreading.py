"""Pods of one owner should be on different nodes, so that a node's end does not end them all."""

from __future__ import annotations

import numpy as np

from scheduler.framework import MAX_SCORE, Score
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Floats, Mask


class Spreading(Score):
    name = "PodTopologySpread"
    weight = 2.0

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Floats | None:
        counts = nodes.groups.of(pod.group) if pod.group else None
        if counts is None:
            return None
        highest = int(counts.max(where=feasible, initial=0))
        return np.subtract(MAX_SCORE, counts * (MAX_SCORE / highest)) if highest > 0 else None
