"""Which PersistentVolume suits a PersistentVolumeClaim: asked by the controller that binds them, and by the scheduler
before it.

The rules are Kubernetes': same class, same mode, all the access modes, the labels the claim selects, at least the size
it asks for; of those that suit, the smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from api.quantity import parse
from api.selectors import LabelSelector
from api.types import core_v1

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
NO_PROVISIONER = "kubernetes.io/no-provisioner"

Claim = core_v1.PersistentVolumeClaim
Volume = core_v1.PersistentVolume


def class_of(obj: Claim | Volume) -> str:
    """The StorageClass' name; "" for none."""
    metadata, spec = obj.metadata, obj.spec
    old = (metadata.annotations or {}).get(CLASS_ANNOTATION) if metadata is not None else None
    return old if old is not None else (spec and spec.storageClassName) or ""


def asked_size(claim: Claim) -> str:
    resources = claim.spec.resources if claim.spec else None
    return str(((resources and resources.requests) or {}).get("storage", "0"))


def size(volume: Volume) -> str:
    return str(((volume.spec and volume.spec.capacity) or {}).get("storage", "0"))


def is_reserved_for(volume: Volume, claim: Claim) -> bool:
    """Whether the volume names this claim: bound to it, or set aside for it by name."""
    reference, metadata = volume.spec.claimRef if volume.spec else None, claim.metadata
    if reference is None or metadata is None:
        return False
    same_name = (reference.namespace, reference.name) == (metadata.namespace, metadata.name)
    return same_name and reference.uid in (None, "", metadata.uid)


def lacks(volume: Volume, claim: Claim) -> str:
    """Why the volume can't serve the claim, whoever else has it; "" if it can."""
    assert claim.spec is not None
    assert volume.spec is not None
    if parse(size(volume)) < parse(asked_size(claim)):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if (volume.spec.volumeMode or "Filesystem") != (claim.spec.volumeMode or "Filesystem"):
        return "incompatible volumeMode"
    if not set(claim.spec.accessModes or ()) <= set(volume.spec.accessModes or ()):
        return "incompatible accessMode"
    return ""


def best(
    claim: Claim, volumes: Iterable[Volume], usable: Callable[[Volume], bool] = lambda volume: True
) -> Volume | None:
    """The volume to bind a claim to that names none: one that is set aside for it, else the smallest that is free and
    `usable`."""
    assert claim.spec is not None
    selector = LabelSelector.of(claim.spec.selector)
    found: Volume | None = None
    for volume in volumes:
        metadata, status = volume.metadata, volume.status
        if metadata is None or volume.spec is None or lacks(volume, claim):
            continue
        if is_reserved_for(volume, claim):
            return volume
        free = volume.spec.claimRef is None and status is not None and status.phase == "Available"
        if not free or metadata.deletionTimestamp is not None or not usable(volume):
            continue
        if claim.spec.selector is not None and not selector.matches(metadata.labels):
            continue
        if found is None or (parse(size(volume)), metadata.name) < (
            parse(size(found)),
            found.metadata and found.metadata.name,
        ):
            found = volume
    return found
