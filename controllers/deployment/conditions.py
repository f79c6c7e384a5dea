"""A Deployment's list of conditions: replacing one keeps its transition time while its status stays the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from api.types import apps_v1
from controllers.objects import stamp

AVAILABLE, PROGRESSING, REPLICA_FAILURE = "Available", "Progressing", "ReplicaFailure"

Condition = apps_v1.DeploymentCondition


def find(conditions: Iterable[Condition] | None, kind: str) -> Condition | None:
    return next((item for item in conditions or () if item.type == kind), None)


def without(conditions: Iterable[Condition], kind: str) -> list[Condition]:
    return [item for item in conditions if item.type != kind]


def make(kind: str, status: str, reason: str, message: str, now: datetime) -> Condition:
    moment = stamp(now)
    return Condition(
        type=kind, status=status, reason=reason, message=message, lastUpdateTime=moment, lastTransitionTime=moment
    )


def put(conditions: list[Condition], new: Condition) -> list[Condition]:
    """The list with `new` in it; unchanged if status and reason are what they were."""
    old = find(conditions, new.type)
    if old is None:
        return [*conditions, new]
    if old.status == new.status and old.reason == new.reason:
        return conditions
    if old.status == new.status:
        new = msgspec.structs.replace(new, lastTransitionTime=old.lastTransitionTime)
    return [*without(conditions, new.type), new]
