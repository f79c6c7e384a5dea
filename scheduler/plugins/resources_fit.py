"""A node must have left what a pod requests: CPU, memory, storage, extended resources, and a place among its pods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scheduler.framework import Filter, Happening
from scheduler.podinfo import PodInfo
from scheduler.requests import PODS
from scheduler.snapshot import Snapshot
from scheduler.tables import Mask


class ResourcesFit(Filter):
    name = "NodeResourcesFit"
    helped_by = Happening.NODE_ADDED | Happening.NODE_CHANGED | Happening.POD_GONE | Happening.POD_CHANGED

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        table = nodes.resources
        mask = np.asarray(table.free[table.column(PODS)] >= 1)
        for resource, number in pod.requests:
            if number > 0:
                column = table.column(resource)  # may add a row to the table: ask first
                mask &= table.free[column] >= number
        return mask

    def explain(self, pod: PodInfo, nodes: Snapshot, row: int) -> tuple[Sequence[str], bool]:
        table = nodes.resources
        reasons = ["Too many pods"] if table.free[table.column(PODS), row] < 1 else []
        final = False
        for resource, number in pod.requests:
            column = table.column(resource)
            if number > 0 and table.free[column, row] < number:
                reasons.append(f"Insufficient {resource}")
                final = final or bool(table.allocatable[column, row] < number)
        return reasons, final
