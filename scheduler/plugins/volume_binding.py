"""A pod goes where its volumes are: bound ones tie it to their nodes, and claims that wait for their pod get a volume
of the node it is given."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from api.types import core_v1
from api.volumes import NO_PROVISIONER, Claim, Volume, best, class_of, is_reserved_for
from scheduler.framework import Filter, Happening, Permit, PreFilter, Reason, Reserve
from scheduler.podinfo import NodeWish, PodInfo, term_of
from scheduler.snapshot import Snapshot
from scheduler.storage import Storage
from scheduler.tables import Mask

_CONFLICT = "node(s) had volume node affinity conflict"
_ONE_POD = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
_NONE_LEFT = "node(s) didn't find available persistent volumes to bind"


class VolumeBinding(PreFilter, Filter, Reserve, Permit):
    name = "VolumeBinding"
    helped_by = Happening.NODE_ADDED | Happening.NODE_CHANGED | Happening.VOLUME_CHANGED | Happening.POD_CHANGED

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._chosen: dict[str, dict[str, Volume | None]] = {}
        """By pod: the volumes for its claims that wait, by the claims' keys; None for one that somebody will make."""
        self._nodes: Snapshot | None = None

    def pre_filter(self, pod: PodInfo, nodes: Snapshot) -> str | None:
        if pod.claims and not self._storage.is_known:
            return "the cluster's volumes are not known yet"
        for name in pod.claims:
            claim = self._storage.claims.get(f"{pod.namespace}/{name}")
            if claim is None or claim.metadata is None:
                return _missing(pod, name)
            if claim.metadata.deletionTimestamp is not None:
                return f'persistentvolumeclaim "{name}" is being deleted'
            volume = (claim.spec and claim.spec.volumeName) or ""
            if volume and self._storage.volumes.get(volume) is None:
                return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
            if not volume and not self._waits(claim):
                return "pod has unbound immediate PersistentVolumeClaims"
            if _is_for_one_pod(claim) and _is_used(pod, name, nodes):
                return _ONE_POD
        return None

    def _waits(self, claim: Claim) -> bool:
        found = self._storage.classes.get(class_of(claim))
        return found is not None and found.volumeBindingMode == "WaitForFirstConsumer"

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if not pod.claims:
            return None
        self._nodes = nodes
        mask = self._near(pod, nodes)
        for claim in self._waiting(pod):
            mask = mask & self._can_be_had(claim, nodes)
        return mask

    def explain(self, pod: PodInfo, nodes: Snapshot, rejected: Mask) -> Iterable[Reason]:
        near = self._near(pod, nodes)
        return [Reason(_CONFLICT, rejected & ~near, final=True), Reason(_NONE_LEFT, rejected & near, final=True)]

    def _near(self, pod: PodInfo, nodes: Snapshot) -> Mask:
        """Where the volumes are that the pod's claims have."""
        mask = np.ones(len(nodes.live), np.bool_)
        for name in pod.claims:
            claim = self._storage.claims.get(f"{pod.namespace}/{name}")
            volume = self._storage.volumes.get((claim and claim.spec and claim.spec.volumeName) or "")
            if volume is not None:
                mask = mask & _reach(volume, nodes)
        return mask

    def _waiting(self, pod: PodInfo) -> list[Claim]:
        claims = (self._storage.claims.get(f"{pod.namespace}/{name}") for name in pod.claims)
        return [each for each in claims if each is not None and not (each.spec and each.spec.volumeName)]

    def _can_be_had(self, claim: Claim, nodes: Snapshot) -> Mask:
        """Where a volume for the claim is free, or can be made."""
        if self._is_made(claim):
            return np.ones(len(nodes.live), np.bool_)
        mask = np.zeros(len(nodes.live), np.bool_)
        for volume in self._free(set()):
            if best(claim, [volume]) is not None:
                mask = mask | _reach(volume, nodes)
        return mask

    def _is_made(self, claim: Claim) -> bool:
        found = self._storage.classes.get(class_of(claim))
        return found is not None and found.provisioner != NO_PROVISIONER

    def _free(self, taken: set[str]) -> list[Volume]:
        """The volumes but those that are promised already."""
        promised = {_name(each) for chosen in self._chosen.values() for each in chosen.values() if each is not None}
        return [each for each in self._storage.volumes.items() if _name(each) not in promised | taken]

    def reserve(self, pod: PodInfo, node: str) -> str | None:
        row = self._nodes.row(node) if self._nodes is not None and pod.claims else None
        if row is None or self._nodes is None:
            return None
        chosen: dict[str, Volume | None] = {}
        for claim in self._waiting(pod):
            taken = {_name(each) for each in chosen.values() if each is not None}
            here = [each for each in self._free(taken) if _reach(each, self._nodes)[row]]
            found = best(claim, here)
            if found is None and not self._is_made(claim):
                return _NONE_LEFT
            chosen[_key(claim)] = found
        if chosen:
            self._chosen[pod.uid] = chosen
        return None

    def unreserve(self, pod: PodInfo, node: str) -> None:
        self._chosen.pop(pod.uid, None)

    async def permit(self, pod: PodInfo, node: str) -> str | None:
        chosen = self._chosen.get(pod.uid, {})
        for key, volume in chosen.items():
            claim = self._storage.claims.get(key)
            if claim is None:
                return f'persistentvolumeclaim "{key}" not found'
            if volume is None:
                await self._storage.choose_node(claim, node)
            elif not is_reserved_for(volume, claim):
                await self._storage.set_aside(volume, claim)
        if not await self._storage.bound(list(chosen)):
            return "timed out waiting for the pod's claims to be bound"
        self._chosen.pop(pod.uid, None)
        return None


def _missing(pod: PodInfo, claim: str) -> str:
    volumes = (pod.pod.spec.volumes if pod.pod.spec is not None else None) or ()
    if any(each.ephemeral is not None and f"{pod.name}-{each.name}" == claim for each in volumes):
        return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{claim}"'
    return f'persistentvolumeclaim "{claim}" not found'


def _is_for_one_pod(claim: Claim) -> bool:
    return "ReadWriteOncePod" in ((claim.spec and claim.spec.accessModes) or ())


def _is_used(pod: PodInfo, claim: str, nodes: Snapshot) -> bool:
    """Whether another pod that has a node already uses the claim."""
    there = (each for name in nodes.names for each in nodes.pods_on(name))
    return any(each.uid != pod.uid and each.namespace == pod.namespace and claim in each.claims for each in there)


def _reach(volume: Volume, nodes: Snapshot) -> Mask:
    """The nodes from which a volume can be used."""
    affinity = volume.spec.nodeAffinity if volume.spec is not None else None
    required: core_v1.NodeSelector | None = affinity.required if affinity is not None else None
    if required is None:
        return np.ones(len(nodes.live), np.bool_)
    return nodes.labels.matching(NodeWish(terms=tuple(term_of(each) for each in required.nodeSelectorTerms or ())))


def _name(volume: Volume) -> str:
    return (volume.metadata.name if volume.metadata else None) or ""


def _key(claim: Claim) -> str:
    return f"{claim.metadata.namespace}/{claim.metadata.name}" if claim.metadata else ""
