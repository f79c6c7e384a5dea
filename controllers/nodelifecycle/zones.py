"""How fast nodes may be evicted from. Pure.

When most of a zone goes silent at once, the fault is more likely in between than in the machines; moving all of their
pods would make things worse. So the more of a zone is lost, the slower its nodes are given up; when everything is lost,
none is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from api.types import core_v1
from controllers import objects
from controllers.nodelifecycle.health import is_ready


class State(Enum):
    NORMAL = "Normal"
    PARTIAL = "PartialDisruption"
    FULL = "FullDisruption"


@dataclass(frozen=True)
class Limits:
    """Rates in nodes a second."""

    rate: float = 0.1
    slow_rate: float = 0.01
    threshold: float = 0.55
    large: int = 50


def zone_of(node: core_v1.Node) -> str:
    labels = objects.labels(node)
    return f"{labels.get('topology.kubernetes.io/region', '')}:{labels.get('topology.kubernetes.io/zone', '')}"


def state(ready: int, lost: int, threshold: float) -> State:
    if not ready and lost:
        return State.FULL
    if lost > 2 and lost / (ready + lost) >= threshold:
        return State.PARTIAL
    return State.NORMAL


def rates(nodes: Iterable[core_v1.Node], limits: Limits) -> dict[str, float]:
    """By zone, how many nodes a second may be given up."""
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for node in nodes:
        counts[zone_of(node)][0 if is_ready(node) else 1] += 1
    states = {zone: state(ready, lost, limits.threshold) for zone, (ready, lost) in counts.items()}
    if states and all(each is State.FULL for each in states.values()):
        return dict.fromkeys(states, 0.0)
    return {zone: _rate(states[zone], sum(counts[zone]), limits) for zone in states}


def _rate(zone: State, size: int, limits: Limits) -> float:
    if zone is State.PARTIAL:
        return limits.slow_rate if size > limits.large else 0.0
    return limits.rate


class Pace:
    """One thing at a time at a rate that may change. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def wait(self, rate: float, now: float) -> float:
        """Seconds until the next may go; infinite at a rate of 0."""
        return max(0.0, self._last + 1 / rate - now) if rate > 0 else float("inf")

    def took(self, now: float) -> None:
        self._last = now
