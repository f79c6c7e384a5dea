"""The numbers a rollout keeps to, from the Deployment's strategy."""

from __future__ import annotations

from api.intstr import resolve
from api.types import apps_v1

NO_LIMIT = 2**31 - 1
"""What `revisionHistoryLimit` and `progressDeadlineSeconds` mean by their largest value."""

RECREATE = "Recreate"


def replicas(deployment: apps_v1.Deployment) -> int:
    spec = deployment.spec
    return 1 if spec is None or spec.replicas is None else spec.replicas


def is_recreate(deployment: apps_v1.Deployment) -> bool:
    strategy = deployment.spec.strategy if deployment.spec else None
    return strategy is not None and strategy.type == RECREATE


def _rolling(deployment: apps_v1.Deployment) -> apps_v1.RollingUpdateDeployment:
    strategy = deployment.spec.strategy if deployment.spec else None
    return (strategy.rollingUpdate if strategy else None) or apps_v1.RollingUpdateDeployment()


def max_surge(deployment: apps_v1.Deployment) -> int:
    """Pods above `replicas` that may exist during a rolling update; 0 for Recreate."""
    if is_recreate(deployment):
        return 0
    return resolve(_rolling(deployment).maxSurge, replicas(deployment), round_up=True)


def max_unavailable(deployment: apps_v1.Deployment) -> int:
    """Pods below `replicas` that may be missing. At least 1 when nothing may surge, or the update could not move."""
    total = replicas(deployment)
    if is_recreate(deployment) or total == 0:
        return 0
    missing = resolve(_rolling(deployment).maxUnavailable, total, round_up=False)
    if missing == 0 and max_surge(deployment) == 0:
        missing = 1
    return min(missing, total)


def progress_deadline(deployment: apps_v1.Deployment) -> int | None:
    """Seconds without progress after which a rollout counts as stuck; None for never."""
    seconds = deployment.spec.progressDeadlineSeconds if deployment.spec else None
    return None if seconds is None or seconds == NO_LIMIT else seconds


def history_limit(deployment: apps_v1.Deployment) -> int | None:
    """How many old ReplicaSets stay for rollbacks; None for all."""
    limit = deployment.spec.revisionHistoryLimit if deployment.spec else None
    return None if limit is None or limit == NO_LIMIT else limit
