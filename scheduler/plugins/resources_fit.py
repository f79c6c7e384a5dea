"""A node must have left what a pod requests: CPU, memory, storage, extended resources, and a place among its pods."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scheduler.framework import Filter, Happening, Reason
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

    def explain(self, pod: PodInfo, nodes: Snapshot, rejected: Mask) -> Iterable[Reason]:
        table = nodes.resources
        yield Reason("Too many pods", np.less(table.free[table.column(PODS)], 1))
        for resource, number in pod.requests:
            if number > 0:
                column = table.column(resource)
                lacks, never = table.free[column] < number, table.allocatable[column] < number
                yield Reason(f"Insufficient {resource}", lacks & never, final=True)
                yield Reason(f"Insufficient {resource}", lacks & ~never)
