"""A Deployment and its ReplicaSets at one moment: what all decisions on a rollout are made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from api.types import apps_v1
from controllers import objects
from controllers.deployment import limits, revisions
from controllers.deployment.templates import canonical, template_of


def size(replica_set: apps_v1.ReplicaSet) -> int:
    """The pods it is asked to have."""
    spec = replica_set.spec
    return 1 if spec is None or spec.replicas is None else spec.replicas


def existing(replica_set: apps_v1.ReplicaSet) -> int:
    """The pods its status counts."""
    return (replica_set.status.replicas if replica_set.status else None) or 0


def ready(replica_set: apps_v1.ReplicaSet) -> int:
    return (replica_set.status.readyReplicas if replica_set.status else None) or 0


def available(replica_set: apps_v1.ReplicaSet) -> int:
    return (replica_set.status.availableReplicas if replica_set.status else None) or 0


def lasting(replica_set: apps_v1.ReplicaSet) -> int:
    """Its available pods that will still be there once it has reached its size: a status may be older than the size."""
    return min(available(replica_set), size(replica_set))


def most(replica_set: apps_v1.ReplicaSet) -> int:
    """The pods it may have at any time before it has reached its size."""
    return max(size(replica_set), existing(replica_set))


def observed(replica_set: apps_v1.ReplicaSet) -> bool:
    """Whether its status is one of its present size. If not, nobody knows how many pods it has just now."""
    seen = (replica_set.status.observedGeneration if replica_set.status else None) or 0
    return seen >= (objects.meta(replica_set).generation or 0)


def age_order(replica_set: apps_v1.ReplicaSet) -> tuple[float, str]:
    return objects.created(replica_set), objects.name(replica_set)


@dataclass(frozen=True)
class View:
    deployment: apps_v1.Deployment
    current: apps_v1.ReplicaSet | None
    """The ReplicaSet of the present template, if there is one."""
    old: tuple[apps_v1.ReplicaSet, ...]
    """All others, oldest first."""
    old_pods_remain: bool = False
    """Whether any pod of `old` still exists that has not ended."""

    @classmethod
    def of(
        cls, deployment: apps_v1.Deployment, owned: Iterable[apps_v1.ReplicaSet], old_pods_remain: bool = False
    ) -> View:
        ordered = sorted(owned, key=age_order)
        wanted = canonical(template_of(deployment))
        current = next((item for item in ordered if canonical(template_of(item)) == wanted), None)
        return cls(deployment, current, tuple(item for item in ordered if item is not current), old_pods_remain)

    @cached_property
    def all(self) -> tuple[apps_v1.ReplicaSet, ...]:
        return (*self.old, self.current) if self.current else self.old

    @cached_property
    def wanted(self) -> int:
        return limits.replicas(self.deployment)

    @cached_property
    def total(self) -> int:
        """The pods that all ReplicaSets together are asked to have."""
        return sum(size(item) for item in self.all)

    @cached_property
    def settled(self) -> bool:
        """Whether the counts of all ReplicaSets can be relied on."""
        return all(observed(item) for item in self.all)

    @property
    def paused(self) -> bool:
        return bool(self.deployment.spec and self.deployment.spec.paused)

    @property
    def was_scaled(self) -> bool:
        """Whether `replicas` changed since a ReplicaSet was last sized: told by the annotation it was given then."""
        return any(
            size(item) > 0 and revisions.number(item, revisions.DESIRED) not in (None, self.wanted) for item in self.all
        )
