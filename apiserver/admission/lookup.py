"""An object that another one names: the cache is asked to catch up before a name is said to mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.endpoints.state import State


async def find(state: State, plural: str, group: str, name: str, namespace: str = "") -> Object | None:
    resource = state.resource(plural, group)
    key = resource.key(namespace, name)
    if key not in resource.cache.entries:
        await state.feed.fresh()
    entry = resource.cache.entries.get(key)
    return entry.decode() if entry is not None else None
