"""Which pods a shrinking ReplicaSet lets go first: the order Kubernetes documents for scaling down."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from api.types import core_v1
from controllers import objects, pods

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

_PHASE_RANK = {pods.PENDING: 0, pods.UNKNOWN: 1, pods.RUNNING: 2}


def deletion_cost(pod: core_v1.Pod) -> int:
    """The pod's own word on how dear it is; 0 when absent or no number."""
    try:
        return int(objects.annotations_of(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def age_class(since: datetime | None, now: datetime) -> float:
    """Ages on a logarithmic scale, so that pods of about one age count as equal and not always the newest goes.

    No time at all ranks as the youngest.
    """
    if since is None:
        return -math.inf
    nanoseconds = (now - since).total_seconds() * 1e9
    return float(int(math.log2(nanoseconds))) if nanoseconds >= 1 else -1.0


def rank(candidates: Sequence[core_v1.Pod], related: Iterable[core_v1.Pod], now: datetime) -> list[core_v1.Pod]:
    """The candidates, the first to delete first. `related` are the active pods of all ReplicaSets of the same owner,
    whose doubling up on one node makes a pod there the more dispensable."""
    crowd = Counter(pods.node_name(pod) for pod in related if pods.is_active(pod))

    def order(pod: core_v1.Pod) -> tuple[object, ...]:
        ready = pods.is_ready(pod)
        return (
            bool(pods.node_name(pod)),
            _PHASE_RANK.get(pods.phase(pod), 0),
            ready,
            deletion_cost(pod),
            -crowd[pods.node_name(pod)],
            age_class(pods.ready_since(pod), now) if ready else 0.0,
            -pods.restarts(pod),
            age_class(objects.meta(pod).creationTimestamp, now),
            objects.uid(pod),
        )

    return sorted(candidates, key=order)
