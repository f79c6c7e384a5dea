"""Which workload a pod belongs to, so that what its pods wrote can be asked for when they are gone."""

from __future__ import annotations

from api.types import meta_v1

TEMPLATE_HASH = "pod-template-hash"


def workload_of(metadata: meta_v1.ObjectMeta) -> str:
    """`Deployment/web`, `StatefulSet/db`, …; `Pod/name` for a pod of its own. A ReplicaSet that a Deployment made is
    known by the hash in its name."""
    owner = next((each for each in metadata.ownerReferences or () if each.controller), None)
    if owner is None:
        return f"Pod/{metadata.name}"
    suffix = f"-{(metadata.labels or {}).get(TEMPLATE_HASH, '')}"
    if owner.kind == "ReplicaSet" and len(suffix) > 1 and owner.name.endswith(suffix):
        return f"Deployment/{owner.name.removesuffix(suffix)}"
    return f"{owner.kind}/{owner.name}"
