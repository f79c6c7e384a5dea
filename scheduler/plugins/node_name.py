"""A pod that names its node is fit for no other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scheduler.framework import Filter, Happening, Reason
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Mask


class NodeName(Filter):
    name = "NodeName"
    helped_by = Happening.NODE_ADDED

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if not pod.node_name:
            return None
        mask = np.zeros(len(nodes.live), np.bool_)
        row = nodes.row(pod.node_name)
        if row is not None:
            mask[row] = True
        return mask

    def explain(self, pod: PodInfo, nodes: Snapshot, rejected: Mask) -> Iterable[Reason]:
        return [Reason("node(s) didn't match the requested node name", rejected, final=True)]
