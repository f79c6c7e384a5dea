"""When two pod templates are the same version, and what a version is called."""

from __future__ import annotations

import hashlib

import msgspec

from api.names import safe_encode
from api.types import apps_v1, core_v1, meta_v1
from controllers import objects

HASH_LABEL = "pod-template-hash"

_NAME_LIMIT = 253


def canonical(template: core_v1.PodTemplateSpec) -> bytes:
    """The template's content, without the label that is derived from it. Equal bytes mean the same version."""
    source = template.metadata or meta_v1.ObjectMeta()
    labels = {key: value for key, value in (source.labels or {}).items() if key != HASH_LABEL}
    metadata = meta_v1.ObjectMeta(
        name=source.name,
        labels=labels or None,
        annotations=source.annotations or None,
        finalizers=source.finalizers or None,
    )
    return msgspec.json.encode(core_v1.PodTemplateSpec(metadata=metadata, spec=template.spec), order="deterministic")


def template_hash(template: core_v1.PodTemplateSpec, collisions: int) -> str:
    """The version's short name. `collisions` counts how often that name was taken by something else."""
    digest = hashlib.blake2b(canonical(template), digest_size=4, salt=collisions.to_bytes(8, "big")).digest()
    return safe_encode(int.from_bytes(digest, "big"))


def template_of(owner: apps_v1.Deployment | apps_v1.ReplicaSet) -> core_v1.PodTemplateSpec:
    template = owner.spec.template if owner.spec else None
    return template if template is not None else core_v1.PodTemplateSpec()


def new_replica_set(deployment: apps_v1.Deployment, replicas: int, annotations: dict[str, str]) -> apps_v1.ReplicaSet:
    """The ReplicaSet of the Deployment's present template."""
    spec = deployment.spec
    if spec is None:
        raise ValueError("a Deployment without spec")
    source = template_of(deployment)
    hashed = template_hash(source, (deployment.status.collisionCount if deployment.status else None) or 0)
    source_meta = source.metadata or meta_v1.ObjectMeta()
    labels = {**(source_meta.labels or {}), HASH_LABEL: hashed}
    template_meta = meta_v1.ObjectMeta(
        labels=labels, annotations=source_meta.annotations, finalizers=source_meta.finalizers
    )
    selector = meta_v1.LabelSelector(
        matchLabels={**(spec.selector.matchLabels or {}), HASH_LABEL: hashed},
        matchExpressions=spec.selector.matchExpressions,
    )
    return apps_v1.ReplicaSet(
        metadata=meta_v1.ObjectMeta(
            name=f"{objects.name(deployment)[: _NAME_LIMIT - 1 - len(hashed)]}-{hashed}",
            namespace=objects.namespace(deployment),
            labels=labels,
            annotations=annotations,
            ownerReferences=[objects.controller_reference(deployment)],
        ),
        spec=apps_v1.ReplicaSetSpec(
            replicas=replicas,
            minReadySeconds=spec.minReadySeconds or None,
            selector=selector,
            template=core_v1.PodTemplateSpec(metadata=template_meta, spec=source.spec),
        ),
    )
