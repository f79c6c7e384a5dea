"""How many pods to make, or which to delete."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.types import apps_v1, core_v1
from controllers import objects, pods
from controllers.replicaset.ranking import rank

BURST = 500
"""At most so many pods in one go; the rest follows when the informer has shown these."""


@dataclass(frozen=True)
class Create:
    count: int


@dataclass(frozen=True)
class Delete:
    pods: tuple[core_v1.Pod, ...]


Action = Create | Delete


def wanted(replica_set: apps_v1.ReplicaSet) -> int:
    spec = replica_set.spec
    return 1 if spec is None or spec.replicas is None else spec.replicas


def decide(
    replica_set: apps_v1.ReplicaSet,
    owned: Sequence[core_v1.Pod],
    related: Iterable[core_v1.Pod],
    now: datetime,
    doubtful: Collection[str] = (),
) -> Action | None:
    """`owned` are the pods this ReplicaSet controls; `related` those of its siblings under the same Deployment too.

    `doubtful` are the uids of pods whose deletion may have happened already: if any pod goes, they go first.
    """
    active = [pod for pod in owned if pods.is_active(pod)]
    surplus = len(active) - wanted(replica_set)
    if surplus < 0:
        return Create(min(-surplus, BURST))
    if surplus > 0:
        # All of them go: no need to rank.
        first = active if surplus == len(active) else rank(active, related, now)
        first = sorted(first, key=lambda pod: objects.uid(pod) not in doubtful)
        return Delete(tuple(first[: min(surplus, BURST)]))
    return None


def batches(count: int) -> Iterator[int]:
    """1, 2, 4, … : a doomed template costs one failed request, a good one soon runs at full breadth."""
    size = 1
    while count > 0:
        yield min(size, count)
        count -= size
        size *= 2
