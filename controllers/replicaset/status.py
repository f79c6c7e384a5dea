"""A ReplicaSet's status, from its pods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from api.types import apps_v1, core_v1
from controllers import objects, pods
from controllers.replicaset.decide import wanted

REPLICA_FAILURE = "ReplicaFailure"


def min_ready_seconds(replica_set: apps_v1.ReplicaSet) -> int:
    return (replica_set.spec.minReadySeconds if replica_set.spec else None) or 0


def template_labels(replica_set: apps_v1.ReplicaSet) -> dict[str, str]:
    template = replica_set.spec.template if replica_set.spec else None
    return (template.metadata.labels if template and template.metadata else None) or {}


def status(
    replica_set: apps_v1.ReplicaSet,
    owned: Sequence[core_v1.Pod],
    failure: str | None,
    now: datetime,
    complete: bool = True,
) -> apps_v1.ReplicaSetStatus:
    """`failure` is why pods could not be made or removed just now, or None. A count of 0 is absent, as on the wire.

    `complete` says whether `owned` shows all that was done so far. Only then does the status claim to be one of the
    present generation: a Deployment relies on it.
    """
    active = [pod for pod in owned if pods.is_active(pod)]
    seen = replica_set.status.observedGeneration if replica_set.status else None
    wait = min_ready_seconds(replica_set)
    full = template_labels(replica_set).items()
    return apps_v1.ReplicaSetStatus(
        replicas=len(active),
        fullyLabeledReplicas=sum(full <= objects.labels(pod).items() for pod in active) or None,
        readyReplicas=sum(pods.is_ready(pod) for pod in active) or None,
        availableReplicas=sum(pods.available_in(pod, wait, now) == 0 for pod in active) or None,
        terminatingReplicas=sum(pods.is_terminating(pod) for pod in owned),
        observedGeneration=objects.meta(replica_set).generation if complete else seen,
        conditions=_conditions(replica_set, len(active), failure, now),
    )


def _conditions(
    replica_set: apps_v1.ReplicaSet, active: int, failure: str | None, now: datetime
) -> list[apps_v1.ReplicaSetCondition] | None:
    before = (replica_set.status.conditions if replica_set.status else None) or []
    others = [item for item in before if item.type != REPLICA_FAILURE]
    if failure is None:
        return others or None
    known = next((item for item in before if item.type == REPLICA_FAILURE), None)
    if known is not None:
        return list(before)
    reason = "FailedCreate" if active < wanted(replica_set) else "FailedDelete"
    return [
        *others,
        apps_v1.ReplicaSetCondition(
            type=REPLICA_FAILURE, status="True", reason=reason, message=failure, lastTransitionTime=objects.stamp(now)
        ),
    ]


def next_available(replica_set: apps_v1.ReplicaSet, owned: Sequence[core_v1.Pod], now: datetime) -> float | None:
    """Seconds until the next ready pod becomes available by the passing of time alone."""
    wait = min_ready_seconds(replica_set)
    times = (pods.available_in(pod, wait, now) for pod in owned if pods.is_active(pod))
    return min((time for time in times if time), default=None)
