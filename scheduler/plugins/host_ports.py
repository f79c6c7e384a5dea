"""A port of the host can be had by one pod at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scheduler.framework import Filter, Happening, Reason
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Mask


class HostPorts(Filter):
    name = "NodePorts"
    helped_by = Happening.NODE_ADDED | Happening.POD_GONE

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if not pod.ports or not (taken := nodes.ports.conflicts(pod.ports)):
            return None
        mask = np.ones(len(nodes.live), np.bool_)
        mask[taken] = False
        return mask

    def explain(self, pod: PodInfo, nodes: Snapshot, rejected: Mask) -> Iterable[Reason]:
        return [Reason("node(s) didn't have free ports for the requested pod ports", rejected)]
