"""From a pod's claim to the volume that it is bound to: read anew for each pod, for a bound claim doesn't change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from api import errors
from api.types import core_v1
from client.rest import Client
from kubelet.volumes.problem import MountError

Claimed = Mapping[str, core_v1.PersistentVolume]
"""PersistentVolumes by the name of the pod's volume."""


def claim_name(pod: core_v1.Pod, volume: core_v1.Volume) -> str:
    """The claim of a volume; "" for a volume without. That of an ephemeral volume is named after pod and volume."""
    if volume.persistentVolumeClaim is not None:
        return volume.persistentVolumeClaim.claimName
    if volume.ephemeral is not None and pod.metadata is not None:
        return f"{pod.metadata.name}-{volume.name}"
    return ""


async def claimed(client: Client, pod: core_v1.Pod) -> Claimed:
    """Raises OSError when the API server doesn't answer, MountError for a claim that can't be used."""
    asked = [(each, name) for each in (pod.spec and pod.spec.volumes) or () if (name := claim_name(pod, each))]
    found = await asyncio.gather(*(_volume(client, pod, each, name) for each, name in asked))
    return {each.name: volume for (each, _), volume in zip(asked, found, strict=True)}


async def _volume(client: Client, pod: core_v1.Pod, asked: core_v1.Volume, name: str) -> core_v1.PersistentVolume:
    assert pod.metadata is not None
    namespace = pod.metadata.namespace or ""
    try:
        claim = await client.get(core_v1.PersistentVolumeClaim, name, namespace)
        why = unusable(claim, pod if asked.ephemeral is not None else None)
        if not why:
            assert claim.spec is not None
            volume = await client.get(core_v1.PersistentVolume, claim.spec.volumeName or "")
            why = mismatch(claim, volume)
    except errors.StatusError as error:
        why = str(error)
    if why:
        raise MountError(f"error processing PVC {namespace}/{name}: {why}")
    return volume


def unusable(claim: core_v1.PersistentVolumeClaim, maker: core_v1.Pod | None) -> str:
    """Why a pod can't use the claim; "" if it can. `maker` is the pod that an ephemeral volume's claim belongs to."""
    assert claim.metadata is not None
    if maker is not None and maker.metadata is not None:
        owners = [each.uid for each in claim.metadata.ownerReferences or () if each.controller]
        if maker.metadata.uid not in owners:
            where = f"{maker.metadata.namespace}/{maker.metadata.name}"
            return f"PVC {claim.metadata.name} was not created for pod {where} (pod is not owner)"
    if claim.metadata.deletionTimestamp is not None:
        return "PVC is being deleted"
    if not (claim.status and claim.status.phase == "Bound" and claim.spec and claim.spec.volumeName):
        return "PVC is not bound"
    return ""


def mismatch(claim: core_v1.PersistentVolumeClaim, volume: core_v1.PersistentVolume) -> str:
    """Why the claim's volume isn't the claim's; "" if it is."""
    reference = volume.spec.claimRef if volume.spec else None
    assert claim.metadata is not None
    assert volume.metadata is not None
    if reference is None or reference.uid != claim.metadata.uid:
        return f"PV {volume.metadata.name} is not bound to this PVC"
    if claim.spec is not None and claim.spec.volumeMode == "Block":
        return "block volumes are not supported"
    return ""
