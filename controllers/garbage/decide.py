"""What becomes of an object, given what is known of its owners. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from api.types import meta_v1
from controllers.garbage.graph import FOREGROUND, ORPHAN, Item

Policy = Literal["Background", "Foreground", "Orphan"]


class Owner(Enum):
    """What an owner is to its dependents."""

    THERE = "there"
    ABSENT = "absent"
    WAITING = "waiting for its dependents to go"


@dataclass(frozen=True)
class Keep:
    """Nothing to do."""


@dataclass(frozen=True)
class Unlink:
    """Some owners are gone but others remain: only these references stay."""

    owners: tuple[meta_v1.OwnerReference, ...]


@dataclass(frozen=True)
class Delete:
    policy: Policy
    unblock: tuple[Item, ...] = ()
    """Dependents that wait for dependents of their own: their references must stop blocking, or a ring would wait for
    itself for ever."""


Action = Keep | Unlink | Delete


def decide(item: Item, owners: Mapping[str, Owner], dependents: Sequence[Item]) -> Action:
    """`owners` has the state of each owner by uid."""
    if not item.owners or item.deleting:
        return Keep()
    there = tuple(ref for ref in item.owners if owners[ref.uid] is Owner.THERE)
    if len(there) == len(item.owners):
        return Keep()
    if there:
        return Unlink(there)
    if Owner.WAITING in owners.values() and dependents:
        blocking = tuple(each for each in dependents if each.waits_for_dependents and each.blocks(item.uid))
        return Delete("Foreground", blocking)
    return Delete(_asked_for(item))


def _asked_for(item: Item) -> Policy:
    """How the object itself wants to go: by a finalizer that somebody has put on it."""
    if ORPHAN in item.finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in item.finalizers else "Background"


def blockers(item: Item, dependents: Sequence[Item]) -> list[Item]:
    """The dependents that a foreground deletion still waits for."""
    return [each for each in dependents if each.blocks(item.uid)]
