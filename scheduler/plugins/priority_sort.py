"""The pod with the highest priority first; of equals, the one that has waited longest."""

from __future__ import annotations

from scheduler.framework import QueueSort
from scheduler.podinfo import PodInfo


class PrioritySort(QueueSort):
    name = "PrioritySort"

    def key(self, pod: PodInfo, since: float) -> tuple[float, ...]:
        return (-pod.priority, since)
