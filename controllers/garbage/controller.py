"""The shell of garbage collection: keeps the graph by the monitors, asks the API server where the graph cannot know."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from api import errors
from api.types import core_v1, meta_v1
from client.resources import Resource
from controllers import objects
from controllers.controller import Controller
from controllers.garbage.decide import Delete, Owner, Unlink, blockers, decide
from controllers.garbage.graph import FOREGROUND, ORPHAN, Graph, Item
from controllers.monitors import live_object
from controllers.partial import partial
from controllers.shared import Shared
from daemon.log import logger

log = logger(__name__)


_UNKNOWN_RETRY = 60.0
"""Seconds until an owner of a kind that is not served is asked for again."""


class _UnknownKind(Exception):
    """An owner reference names a kind that the API server does not serve: nobody can say whether the owner is there."""


class GarbageCollector(Controller):
    """Keys are uids."""

    name = "garbage"
    component = "garbage-collector-controller"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.workers = max(10, self.workers)
        self._graph = Graph()
        shared.monitors.on_change(self._changed)

    def _changed(self, resource: Resource, old: objects.Object | None, new: objects.Object | None) -> None:
        if old is not None and (new is None or objects.uid(new) != objects.uid(old)):
            self._look(self._graph.remove(objects.uid(old)))
        if new is not None:
            self._look(self._graph.put(Item.of(resource, new)))

    def _look(self, uids: set[str]) -> None:
        for uid in uids:
            self.queue.add(uid)

    async def run(self) -> None:
        await self.shared.monitors.start()
        await super().run()

    async def reconcile(self, key: str) -> float | None:
        item = self._graph.get(key)
        if item is None:
            return None
        try:
            if item.leaves_orphans:
                await self._orphan_dependents(item)
            elif item.waits_for_dependents:
                await self._finish_foreground(item)
            elif not item.deleting and item.owners:
                await self._check_owners(item)
        except errors.NotFound:
            log.debug("gone already", kind=item.resource.kind, name=item.name)
        except _UnknownKind as why:
            log.info("cannot tell whether an owner is there", kind=item.resource.kind, name=item.name, reason=str(why))
            return _UNKNOWN_RETRY
        return None

    # -- owners that are being deleted

    async def _orphan_dependents(self, item: Item) -> None:
        dependents = self._graph.dependents(item.uid)
        await asyncio.gather(*(self._forget_owner(each, item.uid) for each in dependents))
        await self._drop_finalizer(item, ORPHAN)

    async def _forget_owner(self, dependent: Item, owner: str) -> None:
        left = tuple(ref for ref in dependent.owners if ref.uid != owner)
        try:
            await self._set_owners(dependent, left)
        except errors.NotFound:
            log.debug("gone already", kind=dependent.resource.kind, name=dependent.name)

    async def _finish_foreground(self, item: Item) -> None:
        if not blockers(item, self._graph.dependents(item.uid)):
            await self._drop_finalizer(item, FOREGROUND)

    # -- objects whose owners may be gone

    async def _check_owners(self, item: Item) -> None:
        owners = {ref.uid: await self._state(item, ref) for ref in item.owners}
        match decide(item, owners, self._graph.dependents(item.uid)):
            case Unlink(left):
                await self._set_owners(item, left)
            case Delete(policy, unblock):
                for each in unblock:
                    await self._unblock(each, item.uid)
                log.debug("collecting", kind=item.resource.kind, namespace=item.namespace, name=item.name)
                await self.client.delete(
                    partial(item.resource),
                    item.name,
                    item.namespace or None,
                    uid=item.uid,
                    resource_version=item.version,
                    propagation=policy,
                )

    async def _state(self, item: Item, reference: meta_v1.OwnerReference) -> Owner:
        known = self._graph.get(reference.uid)
        if known is not None and _means(reference, known, item):
            return Owner.WAITING if known.waits_for_dependents else Owner.THERE
        if self._graph.is_gone(reference.uid):
            return Owner.ABSENT
        resource = await self.shared.monitors.resource(reference.apiVersion, reference.kind)
        if resource is None:
            raise _UnknownKind(f'no matches for kind "{reference.kind}" in version "{reference.apiVersion}"')
        if resource.namespaced and not item.namespace:
            text = f"ownerRef {_shown(reference)} does not exist in namespace {item.namespace!r}"
            self.events.event(_about(item), "Warning", "OwnerRefInvalidNamespace", text)
            return Owner.THERE  # unresolvable: such an object is never collected
        found = await live_object(
            self.client, resource, item.namespace if resource.namespaced else "", reference.name, reference.uid
        )
        if found is None:
            if known is not None:
                text = f"ownerRef {_shown(reference)} does not exist in namespace {item.namespace!r}"
                self.events.event(_about(item), "Warning", "OwnerRefInvalidNamespace", text)
            return Owner.ABSENT
        return Owner.WAITING if Item.of(resource, found).waits_for_dependents else Owner.THERE

    # -- writes: each only if the object is as the graph has it, else a conflict, and another look

    async def _set_owners(self, item: Item, owners: tuple[meta_v1.OwnerReference, ...]) -> None:
        await self._patch(item, {"ownerReferences": msgspec.to_builtins(owners) if owners else None})

    async def _unblock(self, item: Item, owner: str) -> None:
        changed = tuple(
            msgspec.structs.replace(ref, blockOwnerDeletion=False) if ref.uid == owner else ref for ref in item.owners
        )
        await self._set_owners(item, changed)

    async def _drop_finalizer(self, item: Item, finalizer: str) -> None:
        left = [each for each in item.finalizers if each != finalizer]
        await self._patch(item, {"finalizers": left or None})

    async def _patch(self, item: Item, metadata: dict[str, Any]) -> None:
        body = {"metadata": {"uid": item.uid, "resourceVersion": item.version, **metadata}}
        await self.client.patch(partial(item.resource), item.name, body, item.namespace or None)


def _means(reference: meta_v1.OwnerReference, owner: Item, item: Item) -> bool:
    """Whether the reference names the object that has its uid, and one it may name: of its namespace, or of none."""
    group = reference.apiVersion.rpartition("/")[0]
    same = (owner.resource.group, owner.resource.kind, owner.name) == (group, reference.kind, reference.name)
    return same and owner.namespace in ("", item.namespace)


def _shown(reference: meta_v1.OwnerReference) -> str:
    return f"[{reference.apiVersion}/{reference.kind}, name: {reference.name}, uid: {reference.uid}]"


def _about(item: Item) -> core_v1.ObjectReference:
    return core_v1.ObjectReference(
        apiVersion=item.resource.api_version,
        kind=item.resource.kind,
        namespace=item.namespace or None,
        name=item.name,
        uid=item.uid,
    )
