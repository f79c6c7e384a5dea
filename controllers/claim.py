"""Which objects an owner controls: by controller reference first, by selector for those that have no controller.

An owner adopts a matching orphan and releases what it controls but no longer selects. It never takes what another
controls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from api.selectors import LabelSelector
from api.types import meta_v1
from controllers import objects

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


def adoption(owner: objects.Object, item: objects.Object) -> dict[str, Any]:
    """The strategic merge patch that makes `owner` the controller of `item`, and of no other object of that name."""
    reference = msgspec.to_builtins(objects.controller_reference(owner))
    return {"metadata": {"ownerReferences": [reference], "uid": objects.uid(item)}}


def release(owner: objects.Object, item: objects.Object) -> dict[str, Any]:
    """The strategic merge patch that takes the reference away again."""
    return {
        "metadata": {
            "ownerReferences": [{"$patch": "delete", "uid": objects.uid(owner)}],
            "uid": objects.uid(item),
        }
    }


def controlled_by(owner_uid: str, references: Iterable[meta_v1.OwnerReference] | None) -> bool:
    return any(ref.controller and ref.uid == owner_uid for ref in references or ())
