"""A Deployment's status: counts from its ReplicaSets, and how the rollout is doing."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from api.types import apps_v1
from controllers import objects
from controllers.deployment import conditions, limits
from controllers.deployment.conditions import AVAILABLE, PROGRESSING, REPLICA_FAILURE, Condition, find, make, put
from controllers.deployment.rollout import only_sizes
from controllers.deployment.view import View, available, existing, ready

Status = apps_v1.DeploymentStatus

COMPLETE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"


def status(view: View, now: datetime, made: str | None = None, failure: str | None = None) -> Status:
    """The status to write. `made` names the ReplicaSet created in this step; `failure` says why it could not be."""
    before = view.deployment.status or Status()
    deadline = limits.progress_deadline(view.deployment)
    known = list(before.conditions or ())
    if deadline is not None:
        known = _announced(view, known, now, made, failure)
    new = _counts(view, known, now)
    if objects.deleting(view.deployment) or only_sizes(view):
        return new
    listed = list(new.conditions or ())
    if deadline is None:
        listed = conditions.without(listed, PROGRESSING)
    elif failure is None:
        listed = _progressed(view, before, new, listed, deadline, now)
    return msgspec.structs.replace(new, conditions=_with_failures(view, listed) or None)


def _announced(
    view: View, known: list[Condition], now: datetime, made: str | None, failure: str | None
) -> list[Condition]:
    """Progressing as this step itself changed it: paused, resumed, a ReplicaSet found, made or refused."""
    progressing = find(known, PROGRESSING)
    if failure is not None:
        return put(known, make(PROGRESSING, "False", "ReplicaSetCreateError", failure, now))
    if progressing is None or progressing.reason != TIMED_OUT:
        was_paused = progressing is not None and progressing.reason == PAUSED
        if view.paused and not was_paused:
            known = put(known, make(PROGRESSING, "Unknown", PAUSED, "Deployment is paused", now))
        elif not view.paused and was_paused:
            known = put(known, make(PROGRESSING, "Unknown", RESUMED, "Deployment is resumed", now))
    if made is not None:
        return put(known, make(PROGRESSING, "True", "NewReplicaSetCreated", f'Created new replica set "{made}"', now))
    if view.current is not None and progressing is None and not view.paused:
        text = f'Found new replica set "{objects.name(view.current)}"'
        return put(known, make(PROGRESSING, "True", "FoundNewReplicaSet", text, now))
    return known


def _counts(view: View, known: list[Condition], now: datetime) -> Status:
    """Zeros are absent, as on the wire."""
    here = sum(available(item) for item in view.all)
    return Status(
        observedGeneration=objects.meta(view.deployment).generation,
        replicas=sum(existing(item) for item in view.all) or None,
        updatedReplicas=(existing(view.current) if view.current else 0) or None,
        readyReplicas=sum(ready(item) for item in view.all) or None,
        availableReplicas=here or None,
        unavailableReplicas=max(0, view.total - here) or None,
        terminatingReplicas=sum((item.status.terminatingReplicas if item.status else None) or 0 for item in view.all),
        collisionCount=view.deployment.status.collisionCount if view.deployment.status else None,
        conditions=put(known, _availability(view, here, now)),
    )


def _availability(view: View, here: int, now: datetime) -> Condition:
    if here >= view.wanted - limits.max_unavailable(view.deployment):
        text = "Deployment has minimum availability."
        return make(AVAILABLE, "True", "MinimumReplicasAvailable", text, now)
    text = "Deployment does not have minimum availability."
    return make(AVAILABLE, "False", "MinimumReplicasUnavailable", text, now)


def is_complete(view: View, counts: Status) -> bool:
    """Whether every replica is of the present template, available, and alone."""
    return all(
        (part or 0) == view.wanted for part in (counts.updatedReplicas, counts.replicas, counts.availableReplicas)
    )


def _moved(before: Status, new: Status) -> bool:
    """Whether the rollout came any further between two statuses."""
    old_before = (before.replicas or 0) - (before.updatedReplicas or 0)
    old_now = (new.replicas or 0) - (new.updatedReplicas or 0)
    return (
        (new.updatedReplicas or 0) > (before.updatedReplicas or 0)
        or old_now < old_before
        or (new.readyReplicas or 0) > (before.readyReplicas or 0)
        or (new.availableReplicas or 0) > (before.availableReplicas or 0)
    )


def _progressed(
    view: View, before: Status, new: Status, listed: list[Condition], deadline: int, now: datetime
) -> list[Condition]:
    progressing = find(listed, PROGRESSING)
    settled = progressing is not None and progressing.reason == COMPLETE
    if settled and (new.replicas or 0) == (new.updatedReplicas or 0):
        return listed
    about = (
        f'ReplicaSet "{objects.name(view.current)}"'
        if view.current
        else f'Deployment "{objects.name(view.deployment)}"'
    )
    if is_complete(view, new):
        return put(listed, make(PROGRESSING, "True", COMPLETE, f"{about} has successfully progressed.", now))
    if _moved(before, new):
        fresh = make(PROGRESSING, "True", "ReplicaSetUpdated", f"{about} is progressing.", now)
        if progressing is not None and progressing.status == "True":
            fresh = msgspec.structs.replace(fresh, lastTransitionTime=progressing.lastTransitionTime)
        # Replaced, not put: each progress restarts the deadline.
        return [*conditions.without(listed, PROGRESSING), fresh]
    left = _left(progressing, deadline, now)
    if left is not None and left < 0:
        return put(listed, make(PROGRESSING, "False", TIMED_OUT, f"{about} has timed out progressing.", now))
    return listed


def _left(progressing: Condition | None, deadline: int, now: datetime) -> float | None:
    """Seconds of the deadline that are left; None where no clock runs."""
    if progressing is None or progressing.reason in (COMPLETE, TIMED_OUT) or progressing.lastUpdateTime is None:
        return None
    return (progressing.lastUpdateTime + timedelta(seconds=deadline) - now).total_seconds()


def check_again(view: View, written: Status, now: datetime) -> float | None:
    """Seconds until the rollout, should nothing happen, must be called stuck."""
    deadline = limits.progress_deadline(view.deployment)
    if deadline is None or view.paused or is_complete(view, written):
        return None
    left = _left(find(written.conditions, PROGRESSING), deadline, now)
    return None if left is None else max(0.0, left) + 1.0


def _with_failures(view: View, listed: list[Condition]) -> list[Condition]:
    """ReplicaFailure as the current ReplicaSet, else an old one, reports it."""
    ordered = ([view.current] if view.current else []) + list(view.old)
    for item in ordered:
        for condition in (item.status.conditions if item.status else None) or ():
            if condition.type == REPLICA_FAILURE:
                return put(
                    listed,
                    Condition(
                        type=REPLICA_FAILURE,
                        status=condition.status,
                        reason=condition.reason,
                        message=condition.message,
                        lastTransitionTime=condition.lastTransitionTime,
                        lastUpdateTime=condition.lastTransitionTime,
                    ),
                )
    return conditions.without(listed, REPLICA_FAILURE)
