"""The entries of `metadata.managedFields`: who owns which fields, since when, and through which version.

An entry is the plain JSON object that is stored. A manager is identified by its name, its operation and the subresource
it wrote to; one that updates also by the version, while all that one applies is one entry, whatever version it was
applied in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.apply.fieldset import Tree, union, well_formed

APPLY, UPDATE = "Apply", "Update"
MAX_UPDATERS = 10
"""How many entries of updates an object keeps; older ones are joined into one."""
OLD_UPDATERS = "ancient-changes"

Entry = dict[str, Any]
Identity = tuple[str, str, str, str]


def entry(manager: str, operation: str, api_version: str, subresource: str, fields: Tree, time: str = "") -> Entry:
    """A new entry. `time` is as on the wire."""
    made: Entry = {"apiVersion": api_version, "fieldsType": "FieldsV1", "fieldsV1": fields}
    if manager:
        made["manager"] = manager
    made["operation"] = operation
    if subresource:
        made["subresource"] = subresource
    if time:
        made["time"] = time
    return made


def identity(item: Entry) -> Identity:
    operation = item["operation"]
    version = item["apiVersion"] if operation == UPDATE else ""
    return (item.get("manager") or "", operation, version, item.get("subresource") or "")


def with_fields(item: Entry, fields: Tree, time: str = "") -> Entry:
    """The entry with other fields, and perhaps another time."""
    return {**item, "fieldsV1": fields, "time": time} if time else {**item, "fieldsV1": fields}


def decode(value: Any) -> list[Entry] | None:
    """The entries in a managedFields list that a client sent, or None if one of them makes no sense."""
    found: dict[Identity, Entry] = {}
    for item in value or ():
        if not _makes_sense(item):
            return None
        kept = {key: part for key, part in item.items() if part is not None}
        kept.setdefault("fieldsV1", {})
        found[identity(kept)] = kept
    return list(found.values())


def _makes_sense(item: Any) -> bool:
    if not isinstance(item, dict) or item.get("operation") not in (APPLY, UPDATE) or not item.get("apiVersion"):
        return False
    return item.get("fieldsType") == "FieldsV1" and well_formed(item.get("fieldsV1") or {})


def is_reset(value: Any) -> bool:
    """Whether a client asks to forget all managers: an empty list, or a list of one empty entry."""
    return isinstance(value, list) and value in ([], [{}])


def arranged(entries: Iterable[Entry]) -> list[Entry]:
    """The entries as they are stored: applied before updated, the oldest first, and none without fields."""
    return sorted((item for item in entries if item["fieldsV1"]), key=_rank)


def _rank(item: Entry) -> tuple[str, ...]:
    get = item.get
    return (item["operation"], get("time") or "", get("manager") or "", item["apiVersion"], get("subresource") or "")


def same_but_times(one: Iterable[Entry], other: Iterable[Entry]) -> bool:
    """Whether two managedFields lists differ in nothing but their times."""
    return {identity(item): item["fieldsV1"] for item in one} == {identity(item): item["fieldsV1"] for item in other}


def capped(entries: list[Entry]) -> list[Entry]:
    """The entries with the oldest updates joined, one for each version, when there are too many."""
    updaters = [item for item in entries if item["operation"] == UPDATE]
    if len(updaters) <= MAX_UPDATERS:
        return entries
    updaters.sort(key=lambda item: (item.get("time") or "", identity(item)))
    kept, count = {identity(item): item for item in entries}, len(updaters)
    first: dict[str, Identity] = {}
    for item in updaters:
        if count <= MAX_UPDATERS:
            break
        version = item["apiVersion"]
        if version not in first:
            first[version] = identity(item)
            continue
        bucket = (OLD_UPDATERS, UPDATE, version, "")
        older = kept[bucket] if bucket in kept else kept.pop(first[version])
        del kept[identity(item)]
        fields = union(older["fieldsV1"], item["fieldsV1"])
        kept[bucket] = entry(OLD_UPDATERS, UPDATE, version, "", fields, item.get("time") or "")
        count -= 1
    return list(kept.values())
