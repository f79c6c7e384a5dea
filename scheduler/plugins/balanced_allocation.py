"""CPU and memory should run out together: a node on which one is used up and the other idle is half wasted."""

from __future__ import annotations

import numpy as np

from scheduler.framework import MAX_SCORE, Score
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Floats, Mask


class BalancedAllocation(Score):
    name = "NodeResourcesBalancedAllocation"

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Floats | None:
        """100 less half the difference of the two shares in use, which is their standard deviation."""
        if not pod.requests:
            return None
        table = nodes.resources
        asked = np.array([[number] for _, number in pod.compared], np.int64)
        used: Floats = (table.compared + asked) * table.share
        np.minimum(used, MAX_SCORE, out=used)
        score: Floats = MAX_SCORE - np.abs(used[0] - used[1]) * 0.5
        return score
