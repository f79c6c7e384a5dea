"""The patch that takes a live object to what its manifest wants, knowing what the manifest wanted before.

Fields that the manifest never named are left alone: the server and others own them. A field that it named before and
does not name now is deleted.
"""

from __future__ import annotations

from typing import Any

from api.quantity import QuantityError, canonical
from api.schema.node import Form, Schema
from api.strategic import DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, RETAIN_KEYS

Doc = dict[str, Any]


def merge_diff(original: Doc, modified: Doc, current: Doc) -> Doc:
    """As a merge patch (RFC 7386)."""
    patch: Doc = {}
    for key, want in modified.items():
        have = current.get(key)
        if isinstance(want, dict) and isinstance(have, dict):
            inner = merge_diff(_dict(original.get(key)), want, have)
            if inner:
                patch[key] = inner
        elif key not in current:
            if want is not None:
                patch[key] = want
        elif not same(want, have):
            patch[key] = want
    patch.update({key: None for key in original if key not in modified and key in current})
    return patch


def strategic_diff(original: Doc, modified: Doc, current: Doc, schema: Schema) -> Doc:
    """As a strategic merge patch."""
    patch: Doc = {}
    for key, want in modified.items():
        _diff_field(patch, key, original.get(key), want, current, schema.child(key))
    patch.update({key: None for key in original if key not in modified and key in current})
    return patch


def _diff_field(patch: Doc, key: str, before: Any, want: Any, current: Doc, field: Schema | None) -> None:
    have = current.get(key)
    if want is None:
        if have is not None:
            patch[key] = None
    elif field is not None and isinstance(want, dict) and isinstance(have, dict):
        inner = strategic_diff(_dict(before), want, have, field)
        if inner:
            patch[key] = _retaining(inner, want, field)
    elif field is not None and isinstance(want, list) and isinstance(have, list) and "merge" in field.strategies:
        before = before if isinstance(before, list) else []
        if field.merge_key:
            _diff_elements(patch, key, before, want, have, field)
        else:
            _diff_scalars(patch, key, before, want, have)
    elif key not in current or not same(want, have, field):
        patch[key] = want


def _retaining(inner: Doc, want: Doc, field: Schema) -> Doc:
    """A changed union (a volume, a strategy) keeps only the members that the manifest names."""
    if "retainKeys" in field.strategies:
        inner[RETAIN_KEYS] = sorted(key for key, value in want.items() if value is not None)
    return inner


def _diff_scalars(patch: Doc, key: str, before: list[Any], want: list[Any], have: list[Any]) -> None:
    added = [item for item in want if item not in have]
    gone = [item for item in before if item not in want and item in have]
    if added:
        patch[key] = added
    if gone:
        patch[DELETE_FROM + key] = gone
    if added or gone or [item for item in have if item in want] != [item for item in want if item in have]:
        patch[ELEMENT_ORDER + key] = list(want)


def _diff_elements(patch: Doc, key: str, before: list[Any], want: list[Any], have: list[Any], field: Schema) -> None:
    merge_key = field.merge_key
    wanted, existing, earlier = (_by_key(items, merge_key) for items in (want, have, before))
    if wanted is None or existing is None:
        _diff_repeated(patch, key, want, have, field)
        return
    changes: list[Any] = []
    for name, item in wanted.items():
        if name not in existing:
            changes.append(item)
            continue
        inner = strategic_diff(_dict((earlier or {}).get(name)), item, existing[name], field.items)
        if inner:
            changes.append(_retaining(inner, item, field) | {merge_key: name})
    gone = [name for name in earlier or {} if name not in wanted and name in existing]
    changes += [{DIRECTIVE: "delete", merge_key: name} for name in gone]
    common = [name for name in existing if name in wanted]
    if changes or common != [name for name in wanted if name in existing]:
        patch[key] = changes
        patch[ELEMENT_ORDER + key] = [{merge_key: name} for name in wanted]
        if not changes:
            del patch[key]


def _diff_repeated(patch: Doc, key: str, want: list[Any], have: list[Any], field: Schema) -> None:
    """Elements that share a merge key (port 53 over TCP and UDP) cannot be told apart: the whole list is replaced."""
    if len(want) == len(have) and all(
        isinstance(one, dict) and isinstance(other, dict) and not strategic_diff({}, one, other, field.items)
        for one, other in zip(want, have, strict=True)
    ):
        return
    patch[key] = [*want, {DIRECTIVE: "replace"}]


def _by_key(items: list[Any], merge_key: str) -> dict[Any, Doc] | None:
    """The elements by their merge key, or None if it does not tell them apart."""
    found: dict[Any, Doc] = {}
    for item in items:
        name = item.get(merge_key) if isinstance(item, dict) else None
        if not isinstance(name, (str, int)) or name in found:
            return None
        found[name] = item
    return found


def _dict(value: Any) -> Doc:
    return value if isinstance(value, dict) else {}


def same(one: Any, other: Any, schema: Schema | None = None) -> bool:
    """Equal as JSON (true is not 1); quantities by their amount; a map without its nulls."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in one.keys() | other.keys() if one.get(key) is not None or other.get(key) is not None]
        return all(same(one.get(key), other.get(key), schema.child(key) if schema else None) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        items = schema.items if schema is not None and schema.form is Form.LIST else None
        return len(one) == len(other) and all(same(a, b, items) for a, b in zip(one, other, strict=True))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if schema is not None and schema.form is Form.QUANTITY:
        try:
            return canonical(one) == canonical(other)
        except QuantityError:
            return bool(one == other)
    return bool(one == other)
