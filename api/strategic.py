"""Strategic merge patch: a merge patch that knows, from the schema, which lists are really maps.

A list with a merge key is patched element by element; a list of scalars with the merge strategy is a set; every other
list is replaced. Directives steer it:

* `$patch: delete | replace | merge` in a map; in an element of a list, `delete` takes out the element of that key, and
  `replace` makes the patch's other elements the whole list
* `$retainKeys: [...]` keeps only these keys of a map
* `$deleteFromPrimitiveList/<field>: [...]` takes scalars out of a set
* `$setElementOrder/<field>: [...]` says in which order the list's elements stand

Where the elements that the patch does not name end up is part of the API too: see `_in_order`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api.errors import BadRequest, StatusError
from api.field import quote
from api.schema.node import Schema

Doc = dict[str, Any]

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
ELEMENT_ORDER = "$setElementOrder/"


def strategic_merge(doc: Doc, patch: Doc, schema: Schema | None) -> Doc:
    """`doc` with `patch` applied, as a new document. Raises BadRequest for a patch that makes no sense."""
    match patch.get(DIRECTIVE):
        case None | "merge":
            merged = dict(doc)
        case "replace":
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        case "delete":
            return {}
        case other:
            raise BadRequest(f"unknown patch type: {other} in map: {go_map(patch)}")
    if RETAIN_KEYS in patch:
        merged = _retain(merged, patch)
    for key, value in patch.items():
        if key.startswith(ELEMENT_ORDER):
            _merge_ordered(merged, key.removeprefix(ELEMENT_ORDER), patch, schema)
        elif not key.startswith("$") and ELEMENT_ORDER + key not in patch:
            _merge_field(merged, key, value, schema.child(key) if schema else None)
    for key in patch:
        if key.startswith(DELETE_FROM):
            _delete_from(merged, key.removeprefix(DELETE_FROM), _list(patch, key, "primitive list"))
    return merged


def _retain(doc: Doc, patch: Doc) -> Doc:
    keep = _list(patch, RETAIN_KEYS, "retainKeys")
    for key, value in patch.items():
        if not key.startswith("$") and value is not None and key not in keep:
            raise StatusError("patch content doesn't match retainKeys list", code=422, reason="Invalid")
    return {key: value for key, value in doc.items() if key in keep}


def _list(patch: Doc, name: str, what: str) -> list[Any]:
    value = patch[name]
    if not isinstance(value, list):
        raise BadRequest(f"invalid patch format of {what}")
    return value


def _merge_field(merged: Doc, key: str, value: Any, field: Schema | None) -> None:
    old = merged.get(key)
    if value is None:
        merged.pop(key, None)
    elif isinstance(value, dict) and isinstance(old, dict):
        replaces = field is not None and "replace" in field.strategies
        merged[key] = strip(value) if replaces else strategic_merge(old, value, field)
    elif isinstance(value, list) and isinstance(old, list) and field is not None and "merge" in field.strategies:
        merged[key] = _merge_list(old, value, field)
    else:
        merged[key] = strip(value)


def _delete_from(merged: Doc, key: str, gone: list[Any]) -> None:
    old = merged.get(key)
    if isinstance(old, list):
        merged[key] = [item for item in old if item not in gone]


def _merge_ordered(merged: Doc, key: str, patch: Doc, schema: Schema | None) -> None:
    """A field whose elements' order the patch gives; the patch may leave the elements themselves alone."""
    field, old, order = (
        schema.child(key) if schema else None,
        merged.get(key),
        _list(patch, ELEMENT_ORDER + key, "setElementOrder list"),
    )
    if field is not None and isinstance(patch.get(key), list):
        _check_order(patch[key], order, field.merge_key)
    if key in patch:
        _merge_field(merged, key, patch[key], field)
    if field is not None and isinstance(merged.get(key), list):
        merged[key] = _in_order(merged[key], order, old if isinstance(old, list) else [], _namer(field.merge_key))


def _check_order(items: list[Any], order: list[Any], merge_key: str) -> None:
    """The elements that the patch sets must stand in it as they stand in the order. Raises BadRequest."""
    name_of = _namer(merge_key)
    rest = iter([name_of(item) for item in order])
    wanted = [name_of(item) for item in items if not (isinstance(item, dict) and item.get(DIRECTIVE) == "delete")]
    if not all(name in rest for name in wanted):
        shown = (
            f"The order in patch list:\n{go_map(items)}\n doesn't match {ELEMENT_ORDER[:-1]} list:\n{go_map(order)}\n"
        )
        raise BadRequest(shown)


def _merge_list(old: list[Any], new: list[Any], field: Schema) -> list[Any]:
    if not field.merge_key:
        return _in_order([*old, *(item for item in new if item not in old)], new, old, _namer(""))
    for item in new:
        _check_element(item, field.merge_key)
    plain = [item for item in new if DIRECTIVE not in item]
    if any(item.get(DIRECTIVE) == "replace" for item in new):
        return [strip(item) for item in plain]
    name_of = _namer(field.merge_key)
    gone = [name_of(item) for item in new if item.get(DIRECTIVE) == "delete"]
    kept = [item for item in old if name_of(item) not in gone]
    return _in_order(_merge_elements(kept, plain, field), plain, kept, name_of)


def _check_element(item: Any, merge_key: str) -> None:
    """Raises BadRequest for an element that cannot be paired with another."""
    if not isinstance(item, dict):
        raise BadRequest(
            f"invalid patch: a list with the merge key {merge_key} holds {quote(str(item))}, not an object"
        )
    directive = item.get(DIRECTIVE)
    if directive == "merge":
        raise BadRequest("merging lists cannot yet be specified in the patch")
    if directive not in (None, "delete", "replace"):
        raise BadRequest(f"unknown patch type: {directive} in map: {go_map(item)}")
    if directive != "replace" and item.get(merge_key) is None:
        raise BadRequest(f"map: {go_map(item)} does not contain declared merge key: {merge_key}")


def _merge_elements(old: list[Any], new: list[Doc], field: Schema) -> list[Any]:
    merged, name_of = list(old), _namer(field.merge_key)
    for item in new:
        name = name_of(item)
        at = next((index for index, other in enumerate(merged) if name_of(other) == name), None)
        if at is None:
            merged.append(strip(item))
        else:
            merged[at] = strategic_merge(merged[at], item, field.items)
    return merged


def _namer(merge_key: str) -> Callable[[Any], Any]:
    """What tells an element from the others: its merge key's value, or a scalar itself."""

    def name_of(item: Any) -> Any:
        return item.get(merge_key) if merge_key and isinstance(item, dict) else item

    return name_of


def _in_order(merged: list[Any], order: list[Any], live: list[Any], name_of: Callable[[Any], Any]) -> list[Any]:
    """The elements that `order` names in its order; among them, as far as that allows, the others in the live order.

    Another element comes before the first named one that it stood before in the live list; elements that the live list
    did not have, new ones, are therefore passed by.
    """
    places = [name_of(item) for item in order]
    standing = [name_of(item) for item in live]
    named = sorted((item for item in merged if name_of(item) in places), key=lambda item: places.index(name_of(item)))
    others = [item for item in merged if name_of(item) not in places]
    result: list[Any] = []
    for item in named:
        name = name_of(item)
        while others and name in standing and standing.index(name_of(others[0])) < standing.index(name):
            result.append(others.pop(0))
        result.append(item)
    return result + others


def go_map(value: Any) -> str:
    """A JSON value as Go's %v shows it: `map[name:web ports:[80]]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_map(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_map, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def strip(value: Any) -> Any:
    """A value that meets nothing to merge with: without directives, and without the nulls that would delete."""
    if isinstance(value, dict):
        if value.get(DIRECTIVE) == "delete":
            return {}
        return {key: strip(item) for key, item in value.items() if not key.startswith("$") and item is not None}
    if isinstance(value, list):
        return [strip(item) for item in value if not (isinstance(item, dict) and _is_directive(item))]
    return value


def _is_directive(item: Doc) -> bool:
    return item.get(DIRECTIVE) == "delete" or item.keys() == {DIRECTIVE}
