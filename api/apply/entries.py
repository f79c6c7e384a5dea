"""The entries of `metadata.managedFields`: who owns which fields, since when, and through which version.

A manager is identified by its name, its operation and the subresource it wrote to; one that updates also by the
version, while all that one applies is one entry, whatever version it was applied in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from api.apply.fieldset import Tree, union, well_formed

APPLY, UPDATE = "Apply", "Update"
MAX_UPDATERS = 10
"""How many entries of updates an object keeps; older ones are joined into one."""
OLD_UPDATERS = "ancient-changes"

Identity = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One manager's fields. `time` is as on the wire, or empty."""

    manager: str
    operation: str
    api_version: str
    fields: Tree
    time: str = ""
    subresource: str = ""

    @property
    def identity(self) -> Identity:
        version = self.api_version if self.operation == UPDATE else ""
        return (self.manager, self.operation, version, self.subresource)

    def json(self) -> dict[str, Any]:
        """The entry as it stands in managedFields."""
        obj: dict[str, Any] = {"apiVersion": self.api_version, "fieldsType": "FieldsV1", "fieldsV1": self.fields}
        if self.manager:
            obj["manager"] = self.manager
        obj["operation"] = self.operation
        if self.subresource:
            obj["subresource"] = self.subresource
        if self.time:
            obj["time"] = self.time
        return obj


Entries = dict[Identity, Entry]


def decode(value: Any, *, trusted: bool = False) -> Entries | None:
    """The entries in a managedFields list, or None if one of them makes no sense. `trusted`: the server wrote it."""
    entries: Entries = {}
    for item in value or ():
        fields = item.get("fieldsV1") or {}
        if not trusted and not _makes_sense(item, fields):
            return None
        entry = Entry(
            item.get("manager") or "",
            item["operation"],
            item.get("apiVersion") or "",
            fields,
            item.get("time") or "",
            item.get("subresource") or "",
        )
        entries[entry.identity] = entry
    return entries


def _makes_sense(item: Any, fields: Any) -> bool:
    if not isinstance(item, dict) or item.get("operation") not in (APPLY, UPDATE):
        return False
    return item.get("fieldsType") == "FieldsV1" and bool(item.get("apiVersion")) and well_formed(fields)


def is_reset(value: Any) -> bool:
    """Whether a client asks to forget all managers: an empty list, or a list of one empty entry."""
    return isinstance(value, list) and value in ([], [{}])


def encode(entries: Entries) -> list[dict[str, Any]]:
    """The managedFields list: applied before updated, the oldest first; managers without fields are left out."""
    return [entry.json() for entry in sorted(filter(_owns, entries.values()), key=_rank)]


def _owns(entry: Entry) -> bool:
    return bool(entry.fields)


def _rank(entry: Entry) -> tuple[str, ...]:
    return (entry.operation, entry.time, entry.manager, entry.api_version, entry.subresource)


def same_but_times(one: Iterable[dict[str, Any]], other: Iterable[dict[str, Any]]) -> bool:
    """Whether two managedFields lists differ in nothing but their times."""
    return _timeless(one) == _timeless(other)


def _timeless(value: Iterable[dict[str, Any]]) -> dict[Identity, Entry]:
    found = {}
    for item in value:
        entry = Entry(
            item.get("manager") or "",
            item.get("operation") or "",
            item.get("apiVersion") or "",
            item.get("fieldsV1") or {},
            "",
            item.get("subresource") or "",
        )
        found[entry.identity] = entry
    return found


def capped(entries: Entries) -> Entries:
    """The entries with the oldest updates joined, one for each version, when there are too many."""
    updaters = [entry for entry in entries.values() if entry.operation == UPDATE]
    if len(updaters) <= MAX_UPDATERS:
        return entries
    updaters.sort(key=lambda entry: (entry.time, entry.identity))
    kept, count = dict(entries), len(updaters)
    first: dict[str, Identity] = {}
    for entry in updaters:
        if count <= MAX_UPDATERS:
            break
        version = entry.api_version
        if version not in first:
            first[version] = entry.identity
            continue
        bucket = Entry(OLD_UPDATERS, UPDATE, version, {}, entry.time)
        older = kept.get(bucket.identity) or kept.pop(first[version])
        del kept[entry.identity]
        fields = union(older.fields, entry.fields)
        kept[bucket.identity] = Entry(OLD_UPDATERS, UPDATE, version, fields, entry.time)
        count -= 1
    return kept
