"""What is to become of a claim: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.types import storage_v1
from api.volumes import NO_PROVISIONER, Claim, Volume, best, class_of, is_reserved_for, lacks
from controllers import objects

BOUND = "pv.kubernetes.io/bind-completed"
BOUND_BY_US = "pv.kubernetes.io/bound-by-controller"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONERS = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")


@dataclass(frozen=True)
class Bind:
    """The two belong together: let both say so."""

    volume: Volume


@dataclass(frozen=True)
class Pend:
    """The claim waits. `provisioner` is somebody else who may make its volume, and looks for its own name."""

    reason: str
    message: str
    warning: bool = False
    provisioner: str = ""


@dataclass(frozen=True)
class Lose:
    """What the claim was bound to is gone, and so is the data."""

    reason: str
    message: str


Verdict = Bind | Pend | Lose


def decide(
    claim: Claim, named: Volume | None, volumes: Iterable[Volume], storage_class: storage_v1.StorageClass | None
) -> Verdict:
    """`named` is the volume of the claim's own volumeName, `volumes` are all that there are."""
    if BOUND in objects.annotations_of(claim):
        return _bound(claim, named)
    assert claim.spec is not None
    if claim.spec.volumeName:
        return _wants(claim, named)
    return _free(claim, volumes, storage_class)


def _bound(claim: Claim, volume: Volume | None) -> Verdict:
    if not (claim.spec and claim.spec.volumeName):
        text = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
        return Lose("ClaimLost", text)
    if volume is None:
        return Lose("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
    assert volume.spec is not None
    if volume.spec.claimRef is None or is_reserved_for(volume, claim):
        return Bind(volume)
    return Lose("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")


def _wants(claim: Claim, volume: Volume | None) -> Verdict:
    """A claim that asks for one volume by its name gets that or none."""
    assert claim.spec is not None
    name = claim.spec.volumeName
    if volume is None:
        return Pend("FailedBinding", f'volume "{name}" is not there yet')
    assert volume.spec is not None
    if volume.spec.claimRef is None:
        why = lacks(volume, claim)
        return Pend("VolumeMismatch", f'Cannot bind to requested volume "{name}": {why}', True) if why else Bind(volume)
    if is_reserved_for(volume, claim):
        return Bind(volume)
    return Pend("FailedBinding", f'volume "{name}" already bound to a different claim.', True)


def waits_for_pod(storage_class: storage_v1.StorageClass | None) -> bool:
    return storage_class is not None and storage_class.volumeBindingMode == "WaitForFirstConsumer"


def _free(claim: Claim, volumes: Iterable[Volume], storage_class: storage_v1.StorageClass | None) -> Verdict:
    waits = waits_for_pod(storage_class) and SELECTED_NODE not in objects.annotations_of(claim)
    # The scheduler sets a volume aside for a claim that waits for its pod.
    found = best(claim, volumes, lambda volume: not waits)
    if found is not None:
        return Bind(found)
    if waits:
        return Pend("WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    name = class_of(claim)
    if not name:
        text = "no persistent volumes available for this claim and no storage class is set"
        return Pend("FailedBinding", text)
    if storage_class is None:
        return Pend("ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found', True)
    maker = storage_class.provisioner
    if maker == NO_PROVISIONER:
        return Pend("FailedBinding", f'no persistent volumes available for this claim in the storage class "{name}"')
    text = (
        f"Waiting for a volume to be created either by the external provisioner '{maker}' or manually by the system "
        "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
        "registered."
    )
    return Pend("ExternalProvisioning", text, provisioner=maker)
