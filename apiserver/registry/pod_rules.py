"""What must hold of a pod whether it is new or changed, by whatever way."""

from __future__ import annotations

from api.field import FieldError, forbidden
from apiserver.registry.kind import Object
from apiserver.registry.podspec import containers, validation

MIRROR = "kubernetes.io/config.mirror"
"""The annotation of a pod that only shows what a node runs by itself."""


def whole(obj: Object) -> list[FieldError]:
    meta, spec = obj.get("metadata") or {}, obj["spec"]
    errors = validation.pod_annotations(meta, spec, "metadata.annotations")
    errors += validation.pod_spec(spec, "spec", is_pod=True, name=meta.get("name") or "")
    if not spec.get("serviceAccountName"):
        errors += _token_without_account(spec)
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            errors += containers.image_padding(container, f"spec.{field}[{index}]")
    return errors


def _token_without_account(spec: Object) -> list[FieldError]:
    text = "must not be specified when serviceAccountName is not set"
    return [
        forbidden(f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken", text)
        for index, volume in enumerate(spec.get("volumes") or ())
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or ())
        if source.get("serviceAccountToken") is not None
    ]


def mirrors(pod: Object) -> bool:
    return MIRROR in (pod["metadata"].get("annotations") or {})


def keep_all_but_spec(new: Object, old: Object) -> None:
    """Of a change to part of the spec: metadata and status stay as they are."""
    managed = new["metadata"].get("managedFields")
    new["metadata"] = {**old["metadata"]}
    if managed:
        new["metadata"]["managedFields"] = managed
    new["status"] = old.get("status") or {}
