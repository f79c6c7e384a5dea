"""Empties a namespace that is being deleted, then lets it go.

Pods first, since they may need their secrets and accounts until they end; then everything else that is served. What is
left, and why, stands in the namespace's conditions.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from api import errors
from api.types import core_v1
from client.resources import Resource
from controllers import objects
from controllers.controller import Controller
from controllers.discovery import Discovered
from controllers.objects import stamp
from controllers.partial import partial
from controllers.shared import Shared

FINALIZER = "kubernetes"

_RETRY = 15.0
"""Seconds until a namespace is looked at again that no event brings on: something in it has a finalizer of its own."""

Condition = core_v1.NamespaceCondition


@dataclass
class Content:
    """What emptying found."""

    left: Counter[str] = field(default_factory=Counter)
    """Objects that are still there, by resource (`pods.`, `deployments.apps`)."""
    finalizers: Counter[str] = field(default_factory=Counter)
    """Objects still there, by the finalizer that holds them."""
    discovery_failures: tuple[str, ...] = ()
    failures: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.left and not self.failures and not self.discovery_failures


def is_leaving(namespace: core_v1.Namespace) -> bool:
    """Whether there is something for this controller to do."""
    return objects.deleting(namespace) and FINALIZER in ((namespace.spec and namespace.spec.finalizers) or ())


def conditions(before: list[Condition] | None, content: Content, now: datetime) -> list[Condition]:
    """The five conditions of a namespace that is going, with the transition times of those that stay as they are."""
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(content.finalizers.items()))
    rest = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(content.left.items()))
    rows: tuple[tuple[str, str, str, str, str], ...] = (
        (
            "NamespaceDeletionDiscoveryFailure",
            f"Discovery failed for some groups, {len(content.discovery_failures)} failing: "
            + ", ".join(content.discovery_failures)
            if content.discovery_failures
            else "",
            "DiscoveryFailed",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "",
            "GroupVersionParsingFailed",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            f"Failed to delete all resource types, {len(content.failures)} remaining: " + ", ".join(content.failures)
            if content.failures
            else "",
            "ContentDeletionFailed",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            f"Some resources are remaining: {rest}" if rest else "",
            "SomeResourcesRemain",
            "ContentRemoved",
            "All content successfully removed",
        ),
        (
            "NamespaceFinalizersRemaining",
            f"Some content in the namespace has finalizers remaining: {held}" if held else "",
            "SomeFinalizersRemain",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    )
    known: Mapping[str, Condition] = {each.type: each for each in before or ()}
    ours = [_condition(known.get(row[0]), *row, now) for row in rows]
    names = {row[0] for row in rows}
    return [each for each in before or () if each.type not in names] + ours


def _condition(
    old: Condition | None, kind: str, trouble: str, bad_reason: str, good_reason: str, good: str, now: datetime
) -> Condition:
    status = "True" if trouble else "False"
    since = old.lastTransitionTime if old is not None and old.status == status else stamp(now)
    return Condition(
        type=kind,
        status=status,
        reason=bad_reason if trouble else good_reason,
        message=trouble or good,
        lastTransitionTime=since,
    )


class NamespaceController(Controller):
    name = "namespace"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._namespaces = self.read(core_v1.Namespace)
        self._pods = self.read(core_v1.Pod)
        self._namespaces.on_change(self._namespace_changed)
        shared.monitors.on_change(self._content_changed)

    def _namespace_changed(self, key: str, old: core_v1.Namespace | None, new: core_v1.Namespace | None) -> None:
        if new is not None and is_leaving(new):
            self.queue.add(key)

    def _content_changed(self, resource: Resource, old: objects.Object | None, new: objects.Object | None) -> None:
        """Something that went may have been the last thing in its namespace."""
        if new is not None or old is None:
            return
        name = objects.namespace(old)
        namespace = self._namespaces.get(name) if name else None
        if namespace is not None and is_leaving(namespace):
            self.queue.add(name)

    async def reconcile(self, key: str) -> float | None:
        namespace = self._namespaces.get(key)
        if namespace is None or not is_leaving(namespace):
            return None
        content = await self._empty(key)
        namespace = await self._write_conditions(namespace, content)
        if not content.is_empty:
            return _RETRY
        spec = namespace.spec or core_v1.NamespaceSpec()
        left = [each for each in spec.finalizers or () if each != FINALIZER]
        finalized = msgspec.structs.replace(namespace, spec=msgspec.structs.replace(spec, finalizers=left))
        try:
            await self.client.update(finalized, "finalize")
        except errors.NotFound:
            return None
        return None

    async def _empty(self, name: str) -> Content:
        """Ask for the deletion of everything, pods before all else; returns what is still there."""
        pods = Content()
        await self._clear(name, Resource("", "v1", "Pod", "pods"), pods)
        if not pods.is_empty:
            return pods
        known: Discovered = await self.shared.monitors.refresh()
        content = Content(discovery_failures=known.failures)
        kinds = [each for each in known.kinds if each.resource.namespaced and each.can("delete", "list")]
        await asyncio.gather(*(self._clear(name, each.resource, content) for each in kinds))
        return content

    async def _clear(self, name: str, resource: Resource, content: Content) -> None:
        try:
            await self.client.request("DELETE", resource.path(name), params={"propagationPolicy": "Background"})
            page = await self.client.list(partial(resource), name)
        except errors.StatusError as error:
            content.failures.append(f"unexpected error while deleting {resource.name}: {error.message}")
            return
        if page.items:
            content.left[f"{resource.plural}.{resource.group}"] += len(page.items)
        for item in page.items:
            content.finalizers.update(objects.meta(item).finalizers or ())

    async def _write_conditions(self, namespace: core_v1.Namespace, content: Content) -> core_v1.Namespace:
        status = namespace.status or core_v1.NamespaceStatus()
        now = conditions(status.conditions, content, self.clock())
        if now == status.conditions:
            return namespace
        new = msgspec.structs.replace(status, conditions=now)
        return await self.client.update_status(msgspec.structs.replace(namespace, status=new))
