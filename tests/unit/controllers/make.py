"""Objects for the tests, with only what a test names set to something special."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from api.types import apps_v1, core_v1, meta_v1

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def uid() -> str:
    return f"uid-{next(_numbers)}"


def meta(name: str, *, age: float = 0.0, **fields: Any) -> meta_v1.ObjectMeta:
    return meta_v1.ObjectMeta(
        **{
            "name": name,
            "namespace": "default",
            "uid": uid(),
            "resourceVersion": str(next(_numbers)),
            "generation": 1,
            "creationTimestamp": NOW - timedelta(seconds=age),
            **fields,
        }
    )


def controlled_by(owner: Any) -> list[meta_v1.OwnerReference]:
    return [
        meta_v1.OwnerReference(
            apiVersion=owner.apiVersion,
            kind=owner.kind,
            name=owner.metadata.name,
            uid=owner.metadata.uid,
            controller=True,
            blockOwnerDeletion=True,
        )
    ]


def template(image: str = "app:1", labels: dict[str, str] | None = None) -> core_v1.PodTemplateSpec:
    return core_v1.PodTemplateSpec(
        metadata=meta_v1.ObjectMeta(labels=labels or {"app": "web"}),
        spec=core_v1.PodSpec(containers=[core_v1.Container(name="app", image=image)]),
    )


def pod(
    name: str = "pod",
    *,
    phase: str = "Running",
    ready: bool = True,
    ready_for: float = 60.0,
    node: str = "n1",
    ip: str = "",
    restarts: int = 0,
    deleting: bool = False,
    owner: Any = None,
    containers: list[core_v1.Container] | None = None,
    **fields: Any,
) -> core_v1.Pod:
    fields.setdefault("labels", {"app": "web"})
    if deleting:
        fields["deletionTimestamp"] = NOW
    if owner is not None:
        fields["ownerReferences"] = controlled_by(owner)
    conditions = [
        core_v1.PodCondition(
            type="Ready", status="True" if ready else "False", lastTransitionTime=NOW - timedelta(seconds=ready_for)
        )
    ]
    return core_v1.Pod(
        metadata=meta(name, **fields),
        spec=core_v1.PodSpec(containers=containers or [core_v1.Container(name="app")], nodeName=node or None),
        status=core_v1.PodStatus(
            phase=phase,
            podIP=ip or None,
            podIPs=[core_v1.PodIP(ip=ip)] if ip else None,
            conditions=conditions,
            containerStatuses=[
                core_v1.ContainerStatus(name="app", image="", imageID="", ready=ready, restartCount=restarts)
            ],
        ),
    )


def replica_set(
    name: str = "web-1", *, replicas: int = 3, image: str = "app:1", owner: Any = None, **fields: Any
) -> apps_v1.ReplicaSet:
    status = fields.pop("status", None)
    min_ready = fields.pop("min_ready_seconds", None)
    if owner is not None:
        fields["ownerReferences"] = controlled_by(owner)
    labels = {"app": "web", "pod-template-hash": name}
    return apps_v1.ReplicaSet(
        metadata=meta(name, labels=labels, **fields),
        spec=apps_v1.ReplicaSetSpec(
            replicas=replicas,
            minReadySeconds=min_ready,
            selector=meta_v1.LabelSelector(matchLabels=labels),
            template=template(image, labels),
        ),
        status=status,
    )


def deployment(
    name: str = "web",
    *,
    replicas: int = 3,
    image: str = "app:1",
    surge: int | str = "25%",
    unavailable: int | str = "25%",
    recreate: bool = False,
    **fields: Any,
) -> apps_v1.Deployment:
    spec = {
        key: fields.pop(key)
        for key in ("paused", "progressDeadlineSeconds", "revisionHistoryLimit", "minReadySeconds")
        if key in fields
    }
    status = fields.pop("status", None)
    rolling = apps_v1.RollingUpdateDeployment(maxSurge=surge, maxUnavailable=unavailable)
    strategy = apps_v1.DeploymentStrategy(
        type="Recreate" if recreate else "RollingUpdate", rollingUpdate=None if recreate else rolling
    )
    return apps_v1.Deployment(
        metadata=meta(name, **fields),
        spec=apps_v1.DeploymentSpec(
            replicas=replicas,
            selector=meta_v1.LabelSelector(matchLabels={"app": "web"}),
            template=template(image),
            strategy=strategy,
            **spec,
        ),
        status=status,
    )


def node(name: str = "n1", *, ready: str = "True", taints: list[core_v1.Taint] | None = None, **fields: Any) -> Any:
    conditions = [core_v1.NodeCondition(type="Ready", status=ready, lastTransitionTime=NOW)] if ready else None
    unschedulable = fields.pop("unschedulable", None)
    return core_v1.Node(
        metadata=meta(name, namespace=None, **fields),
        spec=core_v1.NodeSpec(taints=taints, unschedulable=unschedulable),
        status=core_v1.NodeStatus(conditions=conditions),
    )
