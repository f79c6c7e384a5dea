"""Binds claims to volumes, follows what becomes of either, and keeps what is in use."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from api import errors
from api.types import core_v1, storage_v1
from api.volumes import Claim, Volume, class_of, is_reserved_for, size
from client.rest import PatchType
from controllers import objects
from controllers.controller import Controller
from controllers.informers import NAMESPACE
from controllers.persistentvolume import claims, protection, volumes
from controllers.persistentvolume.claims import BOUND, BOUND_BY_US, PROVISIONERS
from controllers.shared import Shared

T = TypeVar("T", Claim, Volume)

_VOLUME = "/"
"""What a volume's key begins with; a claim's begins with its namespace."""


class PersistentVolumeController(Controller):
    """Keys are claims' (`namespace/name`) and volumes' (`/name`)."""

    name = "persistentvolume-binder"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._told: dict[str, claims.Pend] = {}
        """What was last said of each claim that waits: it is looked at more often than it has news."""
        self._claims = self.read(core_v1.PersistentVolumeClaim)
        self._volumes = self.read(core_v1.PersistentVolume)
        self._classes = self.read(storage_v1.StorageClass)
        self._pods = self.read(core_v1.Pod)
        self._claims.on_change(self._claim_changed)
        self._volumes.on_change(self._volume_changed)
        self._classes.on_change(lambda key, old, new: self._free_claims(key))
        self._pods.on_change(self._pod_changed)

    # -- who is to be looked at

    def _claim_changed(self, key: str, old: Claim | None, new: Claim | None) -> None:
        self.queue.add(key)
        if old is not None and new is None:
            self._told.pop(objects.uid(old), None)
        for claim in (old, new):
            if claim is not None and claim.spec is not None and claim.spec.volumeName:
                self.queue.add(_VOLUME + claim.spec.volumeName)

    def _volume_changed(self, key: str, old: Volume | None, new: Volume | None) -> None:
        self.queue.add(_VOLUME + key)
        for volume in (old, new):
            reference = volume.spec.claimRef if volume is not None and volume.spec is not None else None
            if reference is not None:
                self.queue.add(f"{reference.namespace}/{reference.name}")
        if new is not None and new.spec is not None and new.spec.claimRef is None:
            self._free_claims(class_of(new))

    def _free_claims(self, storage_class: str) -> None:
        for claim in self._claims.items():
            if class_of(claim) == storage_class and BOUND not in objects.annotations_of(claim):
                self.queue.add(f"{objects.namespace(claim)}/{objects.name(claim)}")

    def _pod_changed(self, key: str, old: core_v1.Pod | None, new: core_v1.Pod | None) -> None:
        if old is not None and new is None:
            for name in protection.claims_of(old):
                self.queue.add(f"{objects.namespace(old)}/{name}")

    # -- what is done

    async def reconcile(self, key: str) -> None:
        try:
            if key.startswith(_VOLUME):
                volume = self._volumes.get(key[1:])
                if volume is not None:
                    await self._sync_volume(volume)
                return
            claim = self._claims.get(key)
            if claim is not None:
                await self._sync_claim(claim)
        except errors.NotFound:
            return  # it went meanwhile, of which we are told

    async def _sync_claim(self, claim: Claim) -> None:
        users = self._pods.by_index(NAMESPACE, objects.namespace(claim)) if objects.deleting(claim) else ()
        held = protection.wanted(claim, protection.CLAIM, in_use=protection.is_used(claim, users))
        if held is not None:
            claim = await self._patch(claim, {"metadata": {"finalizers": held}})
        if objects.deleting(claim):
            return
        named = self._volumes.get((claim.spec and claim.spec.volumeName) or "")
        storage_class = self._classes.get(class_of(claim))
        match claims.decide(claim, named, self._volumes.items(), storage_class):
            case claims.Bind(volume):
                await self._bind(claim, volume)
            case claims.Pend() as pend:
                await self._tell_provisioner(claim, pend.provisioner)
                if self._told.get(objects.uid(claim)) != pend:
                    self._told[objects.uid(claim)] = pend
                    self.events.event(claim, "Warning" if pend.warning else "Normal", pend.reason, pend.message)
            case claims.Lose(reason, message):
                if _phase(claim) != "Lost":
                    await self._patch(claim, {"status": {"phase": "Lost"}}, "status")
                    self.events.event(claim, "Warning", reason, message)

    async def _bind(self, claim: Claim, volume: Volume) -> None:
        """Volume first, claim last: cut short anywhere, the next round goes on from there."""
        self._told.pop(objects.uid(claim), None)
        volume = await self._set_aside(claim, volume)
        if _phase(volume) != "Bound":
            await self._patch(volume, {"status": {"phase": "Bound", "message": None, "reason": None}}, "status")
        assert claim.spec is not None
        name, marks = objects.name(volume), objects.annotations_of(claim)
        if claim.spec.volumeName != name or BOUND not in marks:
            ours = {} if claim.spec.volumeName else {BOUND_BY_US: "yes"}
            body = {"metadata": {"annotations": {BOUND: "yes", **ours}}, "spec": {"volumeName": name}}
            claim = await self._patch(claim, body)
        status = claim.status
        assert volume.spec is not None
        if status is None or status.phase != "Bound" or not status.capacity:
            capacity = {"storage": size(volume)}
            told = {"phase": "Bound", "accessModes": volume.spec.accessModes, "capacity": capacity}
            await self._patch(claim, {"status": told}, "status")

    async def _set_aside(self, claim: Claim, volume: Volume) -> Volume:
        """Let the volume name the claim, which from then on nobody else can have."""
        assert volume.spec is not None
        reference = volume.spec.claimRef
        if reference is not None and reference.uid == objects.uid(claim):
            return volume
        new = core_v1.ObjectReference(
            apiVersion="v1",
            kind="PersistentVolumeClaim",
            namespace=objects.namespace(claim),
            name=objects.name(claim),
            uid=objects.uid(claim),
            resourceVersion=objects.meta(claim).resourceVersion,
        )
        # One that its administrator has set aside stays so when the claim goes.
        ours = {"annotations": {BOUND_BY_US: "yes"}} if reference is None else {}
        return await self._patch(volume, {"metadata": ours, "spec": {"claimRef": msgspec.to_builtins(new)}})

    async def _tell_provisioner(self, claim: Claim, provisioner: str) -> None:
        if provisioner and objects.annotations_of(claim).get(PROVISIONERS[1]) != provisioner:
            await self._patch(claim, {"metadata": {"annotations": dict.fromkeys(PROVISIONERS, provisioner)}})

    async def _sync_volume(self, volume: Volume) -> None:
        held = protection.wanted(volume, protection.VOLUME, in_use=_phase(volume) == "Bound")
        if held is not None:
            volume = await self._patch(volume, {"metadata": {"finalizers": held}})
            if objects.deleting(volume):
                return
        verdict = volumes.decide(volume, await self._claim_of(volume))
        if verdict is None:
            return
        if verdict.give_back:
            volume = await self._patch(volume, _given_back(volume))
        if _phase(volume) != verdict.phase:
            status = {"phase": verdict.phase, "message": verdict.message or None, "reason": None}
            await self._patch(volume, {"status": status}, "status")
            if verdict.phase == "Failed":
                self.events.event(volume, "Warning", "VolumeFailedDelete", verdict.message)

    async def _claim_of(self, volume: Volume) -> Claim | None:
        """The claim that the volume names. That it is gone is believed of the API server only: data depends on it."""
        reference = volume.spec.claimRef if volume.spec else None
        if reference is None:
            return None
        namespace, name = reference.namespace or "", reference.name or ""
        known = self._claims.get(f"{namespace}/{name}")
        if known is not None and is_reserved_for(volume, known):
            return known
        try:
            return await self.client.get(core_v1.PersistentVolumeClaim, name, namespace)
        except errors.NotFound:
            return None

    async def _patch(self, obj: T, body: dict[str, Any], subresource: str = "") -> T:
        """The object as it is afterwards. The version makes it fail on anything but what was decided on."""
        metadata = {**body.get("metadata", {}), "resourceVersion": objects.meta(obj).resourceVersion}
        name, namespace = objects.name(obj), objects.namespace(obj)
        patch = {**body, "metadata": metadata}
        return await self.client.patch(
            type(obj), name, patch, namespace or None, subresource=subresource or None, kind=PatchType.MERGE
        )


def _given_back(volume: Volume) -> dict[str, Any]:
    if BOUND_BY_US in objects.annotations_of(volume):
        return {"metadata": {"annotations": {BOUND_BY_US: None}}, "spec": {"claimRef": None}}
    return {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}}


def _phase(obj: Claim | Volume) -> str:
    return (obj.status and obj.status.phase) or ""
