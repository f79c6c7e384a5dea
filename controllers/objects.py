"""What every controller asks of an object's metadata, with the optional fields of the wire turned into plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from api.types import meta_v1
from client.resources import KubeObject

Object = KubeObject
"""Any struct that is a Kubernetes object."""

_NOTHING: Mapping[str, str] = {}


def meta(obj: Object) -> meta_v1.ObjectMeta:
    if obj.metadata is None:
        raise ValueError(f"a {obj.kind} without metadata")
    return obj.metadata


def name(obj: Object) -> str:
    return meta(obj).name or ""


def namespace(obj: Object) -> str:
    return meta(obj).namespace or ""


def uid(obj: Object) -> str:
    return meta(obj).uid or ""


def labels(obj: Object) -> Mapping[str, str]:
    return meta(obj).labels or _NOTHING


def annotations_of(obj: Object) -> Mapping[str, str]:
    return meta(obj).annotations or _NOTHING


def deleting(obj: Object) -> bool:
    return meta(obj).deletionTimestamp is not None


def created(obj: Object) -> float:
    """Seconds since the epoch; 0 for an object that was never stored."""
    stamp = meta(obj).creationTimestamp
    return stamp.timestamp() if stamp else 0.0


def controller(obj: Object) -> meta_v1.OwnerReference | None:
    """The one owner that manages this object."""
    return next((ref for ref in meta(obj).ownerReferences or () if ref.controller), None)


def controller_uid(obj: Object) -> str:
    ref = controller(obj)
    return ref.uid if ref else ""


def controller_reference(owner: Object) -> meta_v1.OwnerReference:
    """The reference that makes `owner` the controller of an object."""
    return meta_v1.OwnerReference(
        apiVersion=owner.apiVersion or "",
        kind=owner.kind or "",
        name=name(owner),
        uid=uid(owner),
        controller=True,
        blockOwnerDeletion=True,
    )


def stamp(now: datetime) -> datetime:
    """A moment as a `Time` field holds it: whole seconds."""
    return now.replace(microsecond=0)
