"""Who owns what after a write: the two ways a field gets an owner, updating it and applying a configuration with it.

An update gives its writer every field that it changes, and takes them from all others. An apply gives its manager the
fields of the configuration: what the manager applied before and leaves out now goes, unless somebody else owns it, and
what others own with another value is a conflict, unless force is used.

Everything here is pure; objects are plain JSON dicts and are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from api.apply.conflict import ApplyConflict
from api.apply.entries import (
    APPLY,
    UPDATE,
    Entries,
    Entry,
    Identity,
    capped,
    decode,
    encode,
    is_reset,
    same_but_times,
)
from api.apply.fieldset import LEAF, Tree, difference, intersection, union, without
from api.apply.shapes import shape_of
from api.apply.typed import GONE, Shape
from api.errors import BadRequest, StatusError
from api.schema import Schema

Object = dict[str, Any]

BEFORE_FIRST_APPLY = "before-first-apply"
KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_ANNOTATIONS_LIMIT = 256 * 1024

_SYSTEM = {
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
    """What a write may touch: `reset` are fields that it leaves as they are, whatever the client sent."""

    schema: Schema
    api_version: str
    subresource: str = ""
    reset: Mapping[str, Any] = field(default_factory=dict)
    only: str = ""
    """The one top-level field that may be written; empty for all."""

    def own(self, tree: Tree | None) -> Tree:
        """The part of a set that can have an owner."""
        if not tree:
            return LEAF
        if self.only:
            key = f"f:{self.only}"
            return {key: tree[key]} if key in tree else LEAF
        left = without(tree, _SYSTEM)
        return without(left, dict(self.reset)) if self.reset else left


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and when (as on the wire)."""

    manager: str
    time: str


def owned_after_create(obj: Object, given: Any, scope: Scope, writer: Writer) -> list[Object]:
    """The managedFields of a new object. `given` are those that the client sent along, if any."""
    entries = {} if is_reset(given) else decode(given) or {}
    shape = shape_of(scope.schema)
    added = scope.own(shape.diff({}, obj)[0])
    return encode(_taken(entries, added, LEAF, scope, writer))


def owned_after_update(new: Object, old: Object, given: Any, scope: Scope, writer: Writer) -> list[Object]:
    """The managedFields after an update of `old` to `new`. `given` are those that the client sent along.

    An object that has none is not tracked, until somebody applies to it.
    """
    kept = old["metadata"].get("managedFields") or []
    if not scope.subresource:
        if is_reset(given):
            return []
        if given and given != kept and (sent := decode(given)):
            kept = encode(sent)
    if not kept:
        return []
    added, modified, removed = shape_of(scope.schema).diff(old, new)
    taken = scope.own(union(added or LEAF, modified or LEAF))
    lost = scope.own(removed)
    if not taken and not lost:
        return list(kept)
    return encode(capped(_taken(decode(kept, trusted=True) or {}, taken, lost, scope, writer)))


def _taken(entries: Entries, taken: Tree, lost: Tree, scope: Scope, writer: Writer) -> Entries:
    """The entries after the writer took some fields, and others are there no more."""
    mine = Entry(writer.manager, UPDATE, scope.api_version, LEAF, writer.time, scope.subresource)
    gone = union(taken, lost)
    left: Entries = {}
    for identity, entry in entries.items():
        if identity == mine.identity:
            continue
        fields = difference(entry.fields, gone)
        if fields:
            left[identity] = entry if fields == entry.fields else replace(entry, fields=fields)
    before = entries.get(mine.identity)
    fields = difference(before.fields, lost) if before else LEAF
    if taken:
        left[mine.identity] = replace(mine, fields=union(fields, taken))
    elif before and fields:
        left[mine.identity] = replace(before, fields=fields)
    return left


@dataclass(frozen=True, slots=True)
class Apply:
    """One configuration to apply."""

    config: Object
    scope: Scope
    writer: Writer
    force: bool = False

    def to(self, live: Object | None) -> Object:
        """The object after the apply, with its managedFields. Raises ApplyConflict, BadRequest, StatusError."""
        self._check()
        entries = self._known(live) if live is not None else {}
        before = _without_managers(live) if live is not None else {}
        try:
            return self._merged(before, entries, self.force)
        except ApplyConflict as conflict:
            if self.writer.manager != KUBECTL or live is None:
                raise
            return self._upgraded(before, entries, conflict)

    def _check(self) -> None:
        """Raises BadRequest, StatusError."""
        meta = self.config.get("metadata")
        if isinstance(meta, dict) and meta.get("managedFields") is not None:
            raise BadRequest("metadata.managedFields must be nil")
        problems = list(self._shape.problems(self.config, ""))
        if problems:
            text = str(problems[0]) if len(problems) == 1 else "errors:\n" + "\n".join(f"  {each}" for each in problems)
            raise StatusError(f"failed to create typed patch object ({self._name}): {text}")

    @property
    def _shape(self) -> Shape:
        return shape_of(self.scope.schema)

    @property
    def _name(self) -> str:
        meta = self.config.get("metadata") or {}
        kind = self.config.get("kind") or ""
        return f"{meta.get('namespace') or ''}/{meta.get('name') or ''}; {self.scope.api_version}, Kind={kind}"

    def _known(self, live: Object) -> Entries:
        """The live object's entries. What was there before anybody was tracked gets an owner of its own."""
        stored = live["metadata"].get("managedFields")
        if entries := decode(stored):
            return entries
        writer = Writer(BEFORE_FIRST_APPLY, self.writer.time)
        added = replace(self.scope, subresource="").own(self._shape.diff({}, _without_managers(live))[0])
        return _taken({}, added, LEAF, self.scope, writer)

    def _merged(self, live: Object, entries: Entries, force: bool) -> Object:
        wanted = self.scope.own(self._shape.fields(self.config))
        mine = Entry(self.writer.manager, APPLY, self.scope.api_version, wanted, "", self.scope.subresource)
        before = entries.get(mine.identity)
        others = {identity: entry for identity, entry in entries.items() if identity != mine.identity}
        new = self._shape.merge(live, self.config) if live else self.config
        if before:
            new = self._pruned(new, before.fields, wanted, others)
        left = self._without_lost(live, new, others, force)
        unchanged = before is not None and before.fields == wanted and before.api_version == mine.api_version
        if before is not None and unchanged and new == live:
            left[mine.identity] = before
        elif wanted:
            left[mine.identity] = replace(mine, time=self.writer.time)
        return _with_managers(new, self._last_applied(new), encode(left))

    def _pruned(self, merged: Object, before: Tree, wanted: Tree, others: Entries) -> Object:
        owned = wanted
        for entry in others.values():
            owned = union(owned, entry.fields)
        left = self._shape.prune(merged, before, owned)
        return {} if left is GONE else left

    def _without_lost(self, live: Object, new: Object, others: Entries, force: bool) -> Entries:
        """The others' entries without what they no longer own. Raises ApplyConflict."""
        added, modified, removed = self._shape.diff(live, new)
        changed, lost = self.scope.own(union(added or LEAF, modified or LEAF)), removed or LEAF
        fought = {identity: intersection(entry.fields, changed) for identity, entry in others.items()}
        if not force and any(fought.values()):
            raise ApplyConflict((others[identity], tree) for identity, tree in fought.items())
        left: Entries = {}
        for identity, entry in others.items():
            fields = difference(difference(entry.fields, fought[identity]), lost)
            if fields:
                left[identity] = entry if fields == entry.fields else replace(entry, fields=fields)
        return left

    def _upgraded(self, live: Object, entries: Entries, conflict: ApplyConflict) -> Object:
        """What `kubectl apply` put there from the client's side is no conflict. Raises ApplyConflict."""
        allowed = self._last_applied_fields(live)
        rest = [(entry, difference(tree, allowed)) for entry, tree in conflict.fields]
        if any(tree for _, tree in rest):
            raise ApplyConflict(rest)
        return self._merged(live, entries, force=True)

    def _last_applied_fields(self, live: Object) -> Tree:
        """The fields of the configuration applied last that still are as it says."""
        try:
            applied = orjson.loads(_annotations(live).get(LAST_APPLIED) or "")
        except orjson.JSONDecodeError:
            return LEAF
        if not isinstance(applied, dict) or any(self._shape.problems(applied, "")):
            return LEAF
        fields = self._shape.fields(applied) or LEAF
        for change in self._shape.diff(applied, live):
            fields = difference(fields, change or LEAF)
        return fields

    def _last_applied(self, new: Object) -> str | None:
        """What the annotation of `kubectl apply` shall say, on an object that has it; None to leave it alone."""
        if self.writer.manager != KUBECTL or not _annotations(new).get(LAST_APPLIED):
            return None
        meta = {key: value for key, value in self.config["metadata"].items() if key != "managedFields"}
        annotations = {key: value for key, value in _annotations(self.config).items() if key != LAST_APPLIED}
        meta |= {"annotations": annotations} if annotations else {}
        text = orjson.dumps({**self.config, "metadata": meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
        size = sum(len(key) + len(value) for key, value in annotations.items()) + len(text)
        return text if size <= _ANNOTATIONS_LIMIT else ""


def _annotations(obj: Object) -> dict[str, str]:
    found = (obj.get("metadata") or {}).get("annotations")
    return found if isinstance(found, dict) else {}


def _without_managers(obj: Object) -> Object:
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def _with_managers(obj: Object, last_applied: str | None, managed: list[Object]) -> Object:
    meta = {**(obj.get("metadata") or {}), "managedFields": managed}
    if last_applied is not None:
        meta["annotations"] = {**_annotations(obj), LAST_APPLIED: last_applied}
    return {**obj, "metadata": meta}


def keep_times(new: Object, old: Object) -> None:
    """Give `new`, whose change is to be stored, the old managedFields back if only their times have changed."""
    now, before = new["metadata"].get("managedFields"), old["metadata"].get("managedFields")
    if now and before and now is not before and same_but_times(now, before):
        new["metadata"]["managedFields"] = before


__all__ = [
    "Apply",
    "Identity",
    "Scope",
    "Writer",
    "keep_times",
    "owned_after_create",
    "owned_after_update",
]
