"""The claims, volumes and classes as the scheduler sees them, and what it writes about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from api.types import core_v1, storage_v1
from api.volumes import Claim, Volume
from client.informer import Informer
from client.rest import Client

SELECTED_NODE = "volume.kubernetes.io/selected-node"
_PATIENCE = 60.0
"""Seconds that a claim may take to be bound once its node is chosen."""


class Storage:
    """`changed()` is called when anything of it changes."""

    def __init__(self, client: Client, changed: Callable[[], None]) -> None:
        self._client = client
        self.claims = Informer(client, core_v1.PersistentVolumeClaim)
        self.volumes = Informer(client, core_v1.PersistentVolume)
        self.classes = Informer(client, storage_v1.StorageClass)
        self._changed = changed
        self._news = asyncio.Event()
        informers: tuple[Informer[Any], ...] = (self.claims, self.volumes, self.classes)
        self._informers = informers
        for informer in informers:
            informer.on_change(lambda *_: self._tell())

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
        self._changed()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for informer in self._informers:
                group.create_task(informer.run(), name=informer.name)
            for informer in self._informers:
                await informer.synced()
            self._tell()  # of lists without a single object nothing else tells

    @property
    def is_known(self) -> bool:
        """Whether the first lists have come: pods without claims need not wait for them."""
        return all(informer.has_synced for informer in self._informers)

    async def set_aside(self, volume: Volume, claim: Claim) -> None:
        """Let a free volume name the claim; the controllers bind the two. Raises Conflict when somebody was faster."""
        assert volume.metadata is not None
        assert claim.metadata is not None
        about = claim.metadata
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        reference |= {"namespace": about.namespace or "", "name": about.name or "", "uid": about.uid or ""}
        marks = {"pv.kubernetes.io/bound-by-controller": "yes"}
        metadata = {"resourceVersion": volume.metadata.resourceVersion, "annotations": marks}
        patch = {"metadata": metadata, "spec": {"claimRef": reference}}
        await self._client.patch(core_v1.PersistentVolume, volume.metadata.name or "", patch)

    async def choose_node(self, claim: Claim, node: str) -> None:
        """Let who makes volumes know where the claim's is needed."""
        assert claim.metadata is not None
        patch = {"metadata": {"annotations": {SELECTED_NODE: node}}}
        name, namespace = claim.metadata.name or "", claim.metadata.namespace
        await self._client.patch(core_v1.PersistentVolumeClaim, name, patch, namespace)

    async def bound(self, keys: list[str]) -> bool:
        """Wait until all these claims are bound; False when that takes too long."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not all(is_bound(self.claims.get(key)) for key in keys):
                    await self._news.wait()
        except TimeoutError:
            return False
        return True


def is_bound(claim: Claim | None) -> bool:
    return claim is not None and claim.status is not None and claim.status.phase == "Bound"
