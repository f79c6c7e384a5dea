"""The emptier a node would be with the pod on it, the better: the mean of what is left of its CPU and of its memory."""

from __future__ import annotations

import numpy as np

from scheduler.framework import Score
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Floats, Mask


class LeastAllocated(Score):
    name = "LeastAllocated"

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Floats | None:
        table = nodes.resources
        asked = np.array([[number] for _, number in pod.compared], np.int64)
        left: Floats = (table.allocatable[:2] - table.compared - asked) * table.share
        np.maximum(left, 0.0, out=left)
        mean: Floats = (left[0] + left[1]) * 0.5
        return mean
