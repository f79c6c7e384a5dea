"""Strategic merge patch: a merge patch that knows, from the schema, which lists are really maps.

A list with a merge key is patched element by element; a list of scalars with the merge strategy is a set; every other
list is replaced. Directives steer it:

* `$patch: delete | replace | merge` in a map, or in an element of a list
* `$retainKeys: [...]` keeps only these keys of a map
* `$deleteFromPrimitiveList/<field>: [...]` takes scalars out of a set
* `$setElementOrder/<field>: [...]` says in which order the list's elements stand
"""

from __future__ import annotations

from typing import Any

from api.errors import BadRequest
from api.field import quote
from api.schema.node import Schema

Doc = dict[str, Any]

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
ELEMENT_ORDER = "$setElementOrder/"


def strategic_merge(doc: Doc, patch: Doc, schema: Schema | None) -> Doc:
    """`doc` with `patch` applied, as a new document. Raises BadRequest for a patch that makes no sense."""
    merged = _merge_map(doc, patch, schema)
    return {} if merged is None else merged


def _merge_map(doc: Any, patch: Doc, schema: Schema | None) -> Doc | None:
    """The merged map, or None if the patch deletes it."""
    match patch.get(DIRECTIVE):
        case None | "merge":
            merged = dict(doc) if isinstance(doc, dict) else {}
        case "replace":
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        case "delete":
            return None
        case other:
            raise BadRequest(f"Unrecognized patch type: {other}")
    if RETAIN_KEYS in patch:
        merged = _retain(merged, patch)
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_key(merged, key, value, patch, schema.child(key) if schema else None)
    for key in patch:
        if key.startswith((DELETE_FROM, ELEMENT_ORDER)):
            _directive_only(merged, key, patch, schema)
    return merged


def _retain(doc: Doc, patch: Doc) -> Doc:
    keep = patch[RETAIN_KEYS]
    if not isinstance(keep, list):
        raise BadRequest(f"invalid patch format of {RETAIN_KEYS}: expected a list of field names")
    for key, value in patch.items():
        if not key.startswith("$") and value is not None and key not in keep:
            raise BadRequest(f"{quote(key)} is in the patch but not in its {RETAIN_KEYS} list")
    return {key: value for key, value in doc.items() if key in keep}


def _merge_key(merged: Doc, key: str, value: Any, patch: Doc, field: Schema | None) -> None:
    if value is None:
        merged.pop(key, None)
    elif isinstance(value, dict):
        if field is not None and "replace" in field.strategies:
            merged[key] = strip(value)
            return
        result = _merge_map(merged.get(key), value, field)
        if result is None:
            merged.pop(key, None)
        else:
            merged[key] = result
    elif isinstance(value, list):
        merged[key] = _merge_list(merged.get(key), value, key, patch, field)
    else:
        merged[key] = value


def _directive_only(merged: Doc, directive: str, patch: Doc, schema: Schema | None) -> None:
    """A deletion from, or an order of, a list that the patch does not name otherwise."""
    key = directive.partition("/")[2]
    if key not in patch and isinstance(merged.get(key), list):
        merged[key] = _merge_list(merged[key], [], key, patch, schema.child(key) if schema else None)


def _merge_list(old: Any, new: list[Any], key: str, patch: Doc, field: Schema | None) -> list[Any]:
    if field is None or "merge" not in field.strategies:
        return [strip(item) for item in new if not _is_directive(item)]
    old = old if isinstance(old, list) else []
    order = _directive_list(patch, ELEMENT_ORDER + key)
    if field.merge_key:
        merged = _merge_elements(old, new, field.merge_key, field.items)
        if order is not None:
            names = [item.get(field.merge_key) if isinstance(item, dict) else item for item in order]
            return _ordered(merged, names, lambda item: item.get(field.merge_key))
        return merged
    gone = _directive_list(patch, DELETE_FROM + key) or []
    kept = [item for item in old if item not in gone]
    kept += [item for item in new if item not in kept]
    return _ordered(kept, order, lambda item: item) if order is not None else kept


def _directive_list(patch: Doc, name: str) -> list[Any] | None:
    value = patch.get(name)
    if value is not None and not isinstance(value, list):
        raise BadRequest(f"invalid patch format of {name}: expected a list")
    return value


def _is_directive(item: Any) -> bool:
    return isinstance(item, dict) and item.keys() == {DIRECTIVE}


def _merge_elements(old: list[Any], new: list[Any], merge_key: str, items: Schema) -> list[Any]:
    """Elements paired by their merge key, new ones last. An element that is just `$patch: replace` empties the list."""
    if any(_is_directive(item) and item[DIRECTIVE] == "replace" for item in new):
        return [strip(item) for item in new if not _is_directive(item)]
    merged = list(old)
    for item in new:
        if not isinstance(item, dict):
            raise BadRequest(f"map: a list with the merge key {merge_key} holds {item!r}, which is no object")
        if item.get(merge_key) is None:
            raise BadRequest(f"map: {_shown(item)} does not contain declared merge key: {merge_key}")
        _merge_element(merged, item, merge_key, items)
    return merged


def _merge_element(merged: list[Any], item: Doc, merge_key: str, items: Schema) -> None:
    name = item[merge_key]
    at = [index for index, other in enumerate(merged) if isinstance(other, dict) and other.get(merge_key) == name]
    directive = item.get(DIRECTIVE)
    if directive == "delete":
        for index in reversed(at):
            del merged[index]
    elif not at:
        result = _merge_map({}, item, items)
        if result is not None:
            merged.append(result)
    else:
        result = _merge_map(merged[at[0]], item, items)
        if result is not None:
            merged[at[0]] = result


def _shown(item: Doc) -> str:
    return "map[" + " ".join(f"{key}:{value}" for key, value in sorted(item.items())) + "]"


def _ordered(merged: list[Any], order: list[Any], name_of: Any) -> list[Any]:
    """The elements that `order` names in that order; each other one stays behind the element it stood behind."""
    place = {_hashable(name): index for index, name in enumerate(order)}
    position, keys = -1.0, []
    for index, item in enumerate(merged):
        named = place.get(_hashable(name_of(item)))
        position = float(named) if named is not None else position
        keys.append((position, named is None, index))
    return [merged[index] for _, _, index in sorted(keys)]


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def strip(value: Any) -> Any:
    """A value that replaces, without directives and without the nulls that would have deleted something."""
    if isinstance(value, dict):
        return {key: strip(item) for key, item in value.items() if not key.startswith("$") and item is not None}
    if isinstance(value, list):
        return [strip(item) for item in value]
    return value
