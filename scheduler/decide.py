"""The core: which node a pod goes to, and why not elsewhere. Pure: a function of the pod and the snapshot, no I/O.

Filters run over all nodes and are combined; what is left is scored; the best node wins, and among equals the next after
`turn`, so that equals take turns and the same input gives the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from scheduler.framework import Filter, Profile, Rejection
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Mask


@dataclass(frozen=True, slots=True)
class Decision:
    """`node` is None when the pod fits nowhere; the rest says why, as data, and `message` as Kubernetes words it."""

    node: str | None
    nodes: int
    feasible: int = 0
    rejections: tuple[Rejection, ...] = ()
    refusal: str = ""
    """What a PreFilter said."""
    advice: str = ""
    """What a PostFilter said."""

    @property
    def message(self) -> str:
        if not self.nodes:
            return "no nodes available to schedule pods"
        parts = [f"0/{self.nodes} nodes are available:"]
        if self.refusal:
            parts.append(f"{self.refusal}.")
        elif self.rejections:
            parts.append(f"{histogram(self.rejections)}.")
        if self.advice:
            parts.append(self.advice)
        return " ".join(parts)


def decide(pod: PodInfo, nodes: Snapshot, profile: Profile, turn: int = 0) -> Decision:
    count = len(nodes)
    for pre_filter in profile.pre_filters:
        if refusal := pre_filter.pre_filter(pod, nodes):
            return Decision(None, count, refusal=refusal)
    feasible = nodes.live
    for plugin in profile.filters:
        mask = plugin.filter(pod, nodes)
        if mask is not None:
            feasible = feasible & mask
    left = int(np.count_nonzero(feasible))
    if not left:
        return _unschedulable(pod, nodes, profile, count)
    return Decision(nodes.name(_best(pod, nodes, profile, feasible, left, turn)), count, left)


def _best(pod: PodInfo, nodes: Snapshot, profile: Profile, feasible: Mask, left: int, turn: int) -> int:
    if left == 1:
        return int(feasible.argmax())
    total = np.full(len(feasible), -np.inf)
    total[feasible] = 0.0
    for plugin in profile.scores:
        scores = plugin.score(pod, nodes, feasible)
        if scores is not None:
            total += scores if plugin.weight == 1.0 else plugin.weight * scores
    (equals,) = np.nonzero(total >= np.maximum.reduce(total) - 1e-9)
    if len(equals) == 1:
        return int(equals[0])
    after = int(equals.searchsorted(turn % len(feasible)))
    return int(equals[after % len(equals)])


def _unschedulable(pod: PodInfo, nodes: Snapshot, profile: Profile, count: int) -> Decision:
    rejections = tuple(explain(pod, nodes, profile.filters))
    advice = " ".join(filter(None, (plugin.post_filter(pod, nodes, rejections) for plugin in profile.post_filters)))
    return Decision(None, count, rejections=rejections, advice=advice if count else "")


def explain(pod: PodInfo, nodes: Snapshot, filters: Iterable[Filter]) -> list[Rejection]:
    """Why each node was rejected: by the first filter that did so, with all the reasons which that filter has."""
    found: list[Rejection] = []
    left = nodes.live
    for plugin in filters:
        mask = plugin.filter(pod, nodes)
        if mask is None:
            continue
        rejected = left & ~mask
        if rejected.any():
            for reason in plugin.explain(pod, nodes, rejected):
                names = tuple(nodes.name(row) for row in np.flatnonzero(reason.nodes & rejected).tolist())
                if names:
                    found.append(Rejection(plugin.name, reason.sentence, names, reason.final))
        left = left & mask
    return found


def histogram(rejections: Iterable[Rejection]) -> str:
    """`1 Insufficient cpu, 2 node(s) were unschedulable`: reasons with how many nodes each, sorted as text."""
    counts: Counter[str] = Counter()
    for rejection in rejections:
        counts[rejection.reason] += len(rejection.nodes)
    return ", ".join(sorted(f"{number} {reason}" for reason, number in counts.items()))
