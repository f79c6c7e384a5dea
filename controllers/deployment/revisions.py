"""The history of a Deployment as its ReplicaSets' annotations keep it: `kubectl rollout history` and `undo` read it."""

from __future__ import annotations

from collections.abc import Iterable

from api.types import apps_v1
from controllers import objects
from controllers.deployment import limits

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"

_OWN = frozenset(
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        HISTORY,
        DESIRED,
        MAXIMUM,
        "deprecated.deployment.rollback.to",
    )
)
"""Annotations of the Deployment that its ReplicaSets do not inherit."""

_HISTORY_LIMIT = 2000


def revision(obj: objects.Object) -> int:
    """0 for an object that has none, or none that is a number."""
    return number(obj, REVISION) or 0


def number(obj: objects.Object, annotation: str) -> int | None:
    try:
        return int(objects.annotations_of(obj)[annotation])
    except (KeyError, ValueError):
        return None


def next_revision(old: Iterable[apps_v1.ReplicaSet]) -> int:
    return max((revision(item) for item in old), default=0) + 1


def replica_annotations(deployment: apps_v1.Deployment) -> dict[str, str]:
    """The size of the Deployment when it last sized this ReplicaSet: how a later scaling is told from a rollout."""
    total = limits.replicas(deployment)
    return {DESIRED: str(total), MAXIMUM: str(total + limits.max_surge(deployment))}


def inherited(deployment: apps_v1.Deployment) -> dict[str, str]:
    return {key: value for key, value in objects.annotations_of(deployment).items() if key not in _OWN}


def initial(deployment: apps_v1.Deployment, old: Iterable[apps_v1.ReplicaSet]) -> dict[str, str]:
    """The annotations of a ReplicaSet that is being made."""
    return {**inherited(deployment), REVISION: str(next_revision(old)), **replica_annotations(deployment)}


def changes(
    deployment: apps_v1.Deployment, current: apps_v1.ReplicaSet, old: Iterable[apps_v1.ReplicaSet]
) -> dict[str, str]:
    """What the ReplicaSet of the present template lacks: new annotations, a new revision when it was rolled back to."""
    have = objects.annotations_of(current)
    found = {key: value for key, value in inherited(deployment).items() if have.get(key) != value}
    newest = next_revision(old)
    before = revision(current)
    if newest > before:
        found[REVISION] = str(newest)
        if have.get(REVISION):
            found[HISTORY] = _remember(have.get(HISTORY, ""), have[REVISION])
    return found


def _remember(history: str, before: str) -> str:
    """The history with one revision more, the oldest left out where it grows too long."""
    entries = [entry for entry in history.split(",") if entry]
    entries.append(before)
    while len(entries) > 1 and len(",".join(entries)) > _HISTORY_LIMIT:
        entries.pop(0)
    return ",".join(entries)
