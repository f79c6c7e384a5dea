"""Who owns what after a write: the two ways a field gets an owner, updating it and applying a configuration with it.

An update gives its writer every field that it changes, and takes them from all others. An apply gives its manager the
fields of the configuration: what the manager applied before and leaves out now goes, unless somebody else owns it, and
what others own with another value is a conflict, unless force is used.

Everything here is pure; objects are plain JSON dicts and are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.apply.entries import (
    UPDATE,
    Entry,
    arranged,
    capped,
    decode,
    entry,
    identity,
    is_reset,
    same_but_times,
    with_fields,
)
from api.apply.fieldset import LEAF, Tree, difference, union, without
from api.apply.shapes import shape_of
from api.schema import Schema

Object = dict[str, Any]

_SYSTEM: Tree = {
    "f:apiVersion": LEAF,
    "f:kind": LEAF,
    "f:metadata": {
        f"f:{name}": LEAF
        for name in (
            *("name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation"),
            *("managedFields", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"),
        )
    },
}
"""What the server keeps right itself, and nobody owns."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a write may touch. `reset` is what it leaves as it is, whatever the client sent; `only` is the one top-level
    field that may be written, if it is not all."""

    schema: Schema
    api_version: str
    subresource: str = ""
    reset: str = ""
    only: str = ""

    def own(self, tree: Tree | None) -> Tree:
        """The part of a set that can have an owner."""
        if not tree:
            return LEAF
        if self.only:
            key = f"f:{self.only}"
            return {key: tree[key]} if key in tree else LEAF
        left = without(tree, _SYSTEM)
        return without(left, {f"f:{self.reset}": LEAF}) if self.reset else left


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and when (as on the wire)."""

    manager: str
    time: str


def owned_after_create(obj: Object, given: Any, scope: Scope, writer: Writer) -> list[Entry]:
    """The managedFields of a new object. `given` are those that the client sent along, if any."""
    added = scope.own(shape_of(scope.schema).born(obj))
    if not given or is_reset(given) or not (entries := decode(given)):
        return (
            [entry(writer.manager, UPDATE, scope.api_version, scope.subresource, added, writer.time)] if added else []
        )
    return arranged(taken(entries, added, LEAF, scope, writer))


Change = tuple[Tree, Tree]
"""The fields that a write has set, and those that are there no more."""


def change(old: Object, new: Object, scope: Scope) -> Change:
    """What a write has changed of what it may own."""
    added, modified, removed = shape_of(scope.schema).diff(old, new)
    return scope.own(union(added or LEAF, modified or LEAF)), scope.own(removed)


def foreign(old: Object, scope: Scope) -> set[str]:
    """The other versions in which fields of the object are owned."""
    entries = old["metadata"].get("managedFields") or ()
    return {item["apiVersion"] for item in entries if item["apiVersion"] != scope.api_version}


def owned_after_update(
    new: Object,
    old: Object,
    given: Any,
    scope: Scope,
    writer: Writer,
    elsewhere: Mapping[str, Change] | None = None,
) -> list[Entry]:
    """The managedFields after an update of `old` to `new`. `given` are those that the client sent along.

    An object that has none is not tracked, until somebody applies to it. `elsewhere` is the same change in each of the
    other versions in which fields are owned (`foreign`); what is owned in a version that is not there is forgotten.
    """
    kept: list[Entry] = old["metadata"].get("managedFields") or []
    if not scope.subresource:
        if is_reset(given):
            return []
        if given and given != kept and (sent := decode(given)):
            kept = arranged(sent)
    if not kept:
        return []
    mine, lost = change(old, new, scope)
    if not mine and not lost:
        return kept
    return arranged(capped(taken(kept, mine, lost, scope, writer, elsewhere)))


def taken(
    entries: list[Entry],
    mine: Tree,
    lost: Tree,
    scope: Scope,
    writer: Writer,
    elsewhere: Mapping[str, Change] | None = None,
) -> list[Entry]:
    """The entries after the writer took some fields, and others are there no more."""
    me = (writer.manager, UPDATE, scope.api_version, scope.subresource)
    everywhere = {**(elsewhere or {}), scope.api_version: (mine, lost)}
    before, left = LEAF, []
    for item in entries:
        fields = item["fieldsV1"]
        if identity(item) == me:
            before = difference(fields, lost)
            if not mine:
                left.append(item if before is fields else with_fields(item, before))
            continue
        made, gone = everywhere.get(item["apiVersion"], (fields, LEAF))  # of a version that is no more, nothing stays
        rest = difference(difference(fields, made), gone)
        left.append(item if rest is fields else with_fields(item, rest))
    if mine:
        left.append(
            entry(writer.manager, UPDATE, scope.api_version, scope.subresource, union(before, mine), writer.time)
        )
    return left


def keep_times(new: Object, old: Object) -> None:
    """Give `new` the old managedFields back if only their times have changed."""
    now, before = new["metadata"].get("managedFields"), old["metadata"].get("managedFields")
    if now and before and now is not before and same_but_times(now, before):
        new["metadata"]["managedFields"] = before
