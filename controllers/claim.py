"""Which objects an owner controls: by controller reference first, by selector for those that have no controller.

An owner adopts a matching orphan and releases what it controls but no longer selects. It never takes what another
controls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from api import errors
from api.selectors import LabelSelector
from client.rest import Client, PatchType
from controllers import objects
from daemon.log import logger

log = logger(__name__)

T = TypeVar("T", bound=objects.Object)


@dataclass(frozen=True)
class Claim(Generic[T]):
    owned: list[T]
    adopt: list[T]
    release: list[T]


def claim(owner: objects.Object, selector: LabelSelector, candidates: Iterable[T]) -> Claim[T]:
    """Sort the candidates. An owner that is being deleted neither adopts nor releases."""
    leaving, mine = objects.deleting(owner), objects.uid(owner)
    result: Claim[T] = Claim([], [], [])
    for item in candidates:
        holder = objects.controller_uid(item)
        matches = selector.matches(objects.labels(item))
        if holder == mine:
            (result.owned if matches else result.release if not leaving else []).append(item)
        elif not holder and matches and not leaving and not objects.deleting(item):
            result.adopt.append(item)
    return result


async def still_wanted(client: Client, owner: T) -> bool:
    """Asked of the API server itself before adopting: a cache may not know yet that the owner is going."""
    try:
        live = await client.get(type(owner), objects.name(owner), objects.namespace(owner))
    except errors.NotFound:
        return False
    return objects.uid(live) == objects.uid(owner) and not objects.deleting(live)


async def adopt(client: Client, owner: objects.Object, item: T) -> T | None:
    """Make `owner` the controller; None when the object is gone, is another one now, or was taken by a faster owner."""
    reference = msgspec.to_builtins(objects.controller_reference(owner))
    try:
        return await _patch_owners(client, item, reference)
    except (errors.NotFound, errors.Conflict, errors.Invalid):
        return None


async def release(client: Client, owner: objects.Object, item: objects.Object) -> None:
    """Take the controller reference away."""
    try:
        await _patch_owners(client, item, {"$patch": "delete", "uid": objects.uid(owner)})
    except (errors.NotFound, errors.Conflict, errors.Invalid) as error:
        log.debug("nothing to release any more", name=objects.name(item), reason=error.message)


async def _patch_owners(client: Client, item: T, reference: dict[str, Any]) -> T:
    """The uid in the patch makes it fail on any other object of that name."""
    patch = {"metadata": {"ownerReferences": [reference], "uid": objects.uid(item)}}
    name, namespace = objects.name(item), objects.namespace(item)
    return await client.patch(type(item), name, patch, namespace, kind=PatchType.STRATEGIC)
