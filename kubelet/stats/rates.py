"""CPU in nanoseconds a second, from what was used at the look before: the kernel only tells sums."""

from __future__ import annotations

from dataclasses import dataclass

from kubelet.stats.sample import NodeSample

SHORTEST = 1.0
"""Seconds between two looks for their difference to mean anything."""


@dataclass(frozen=True, slots=True)
class _Point:
    at: float
    usage: int
    rate: int | None


class Rates:
    """Remembers one point for each cgroup that was in the last sample."""

    def __init__(self) -> None:
        self._points: dict[str, _Point] = {}

    def take(self, sample: NodeSample, pods: str) -> None:
        """`pods` is the cgroup above all pods'."""
        seen = {"": (sample.at, sample.usage), pods: (sample.at, sample.all_pods)}
        for pod in sample.pods:
            seen[pod.of.cgroup] = (pod.at, pod.usage)
            seen |= {each.of.cgroup: (each.at, each.usage) for each in pod.containers}
        points = {}
        for path, (at, usage) in seen.items():
            if usage.cpu is not None:
                points[path] = _next(self._points.get(path), at, usage.cpu.usage)
        self._points = points

    def of(self, path: str) -> int | None:
        """Nanocores, or None before the second look."""
        point = self._points.get(path)
        return point.rate if point is not None else None


def _next(before: _Point | None, at: float, usage: int) -> _Point:
    if before is None or usage < before.usage:
        return _Point(at, usage, None)
    if at - before.at < SHORTEST:
        return before
    return _Point(at, usage, int((usage - before.usage) / (at - before.at)))
