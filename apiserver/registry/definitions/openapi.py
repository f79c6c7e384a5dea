"""Which keywords of OpenAPI a custom resource's schema may use, and how those of Kubernetes (`x-kubernetes-*`) fit
together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.field import FieldError, forbidden, invalid, not_supported, required
from api.schema.structural import EMBEDDED, PRESERVE

Raw = Mapping[str, Any]

TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_META = frozenset({"metadata", "kind", "apiVersion"})
_LIST, _KEYS, _MAP = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"


@dataclass(frozen=True)
class _Place:
    """What depends on where a schema stands: why it may have no defaults, and whether it is about a resource's own
    fields (metadata, kind, apiVersion)."""

    no_defaults: str = ""
    in_meta: bool = False


def validate_keywords(raw: Raw, at: str) -> list[FieldError]:
    errors = [forbidden(f"{at}.nullable", "nullable cannot be true at the root")] if raw.get("nullable") else []
    return errors + list(_schema(raw, at, _Place(), root=True))


def _schema(raw: Raw, at: str, place: _Place, root: bool = False) -> Iterator[FieldError]:
    yield from _keywords(raw, at, place)
    yield from _additional(raw, at, place)
    for name, field in (raw.get("properties") or {}).items():
        inner = place
        if (root or raw.get(EMBEDDED)) and name in _META:
            inner = replace(place, in_meta=True, no_defaults=f" in top-level {name}" if root else place.no_defaults)
        yield from _schema(field, f"{at}.properties[{name}]", inner)
    if isinstance(raw.get("not"), dict):
        yield from _schema(raw["not"], f"{at}.not", place)
    for word in ("allOf", "oneOf", "anyOf"):
        for index, each in enumerate(raw.get(word) or ()):
            yield from _schema(each, f"{at}.{word}[{index}]", place)
    if isinstance(raw.get("items"), dict):
        yield from _schema(raw["items"], f"{at}.items", place)
    yield from _extensions(raw, at)


def _keywords(raw: Raw, at: str, place: _Place) -> Iterator[FieldError]:
    name = raw.get("type") or ""
    if name and name not in TYPES:
        yield not_supported(f"{at}.type", name, TYPES)
    if raw.get("default") is not None and place.no_defaults:
        yield forbidden(f"{at}.default", f"must not be set{place.no_defaults}")
    for word in _UNSUPPORTED:
        if raw.get(word):
            yield forbidden(f"{at}.{word}", f"{word} is not supported")
    if name == "null":
        yield forbidden(f"{at}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(raw.get("items"), list):
        yield forbidden(f"{at}.items", "items must be a schema object and not an array")
    if place.in_meta and raw.get(EMBEDDED):
        yield forbidden(f"{at}.{EMBEDDED}", "must not be used inside of resource meta")
    if raw.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{at}.uniqueItems", text)


def _additional(raw: Raw, at: str, place: _Place) -> Iterator[FieldError]:
    additional = raw.get("additionalProperties")
    if additional is None:
        return
    if raw.get("properties") and additional is not True:
        text = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{at}.additionalProperties", text)
    if isinstance(additional, dict):
        why = " inside additionalProperties applying to object metadata"
        inner = replace(place, no_defaults=why) if place.in_meta else place
        yield from _schema(additional, f"{at}.additionalProperties", inner)


def _extensions(raw: Raw, at: str) -> Iterator[FieldError]:
    if raw.get(PRESERVE) is False:
        yield invalid(f"{at}.{PRESERVE}", False, "must be true or undefined")
    yield from _needs(raw, at, _MAP, "object", ("atomic", "granular"))
    yield from _needs(raw, at, _LIST, "array", ("atomic", "set", "map"))
    kind, keys = raw.get(_LIST), raw.get(_KEYS) or []
    items = raw.get("items") if isinstance(raw.get("items"), dict) else None
    if kind == "set" and items is not None and raw.get("type") == "array":
        yield from _of_set(items, at)
    if keys and kind != "map":
        text = f"must be map if {_KEYS} is non-empty"
        yield invalid(f"{at}.{_LIST}", kind, text) if kind else required(f"{at}.{_LIST}", text)
    if kind == "map":
        yield from _of_map(items, keys, at)
    if kind in ("set", "map") and items is not None and items.get("nullable"):
        yield forbidden(f"{at}.items.nullable", f"cannot be nullable when {_LIST} is {kind}")


def _needs(raw: Raw, at: str, word: str, type_: str, values: tuple[str, ...]) -> Iterator[FieldError]:
    value, given = raw.get(word), raw.get("type") or ""
    if value is None:
        return
    if given != type_:
        text = f"must be {type_} if {word} is specified"
        yield invalid(f"{at}.type", given, text) if given else required(f"{at}.type", text)
    if value not in values:
        yield not_supported(f"{at}.{word}", value, values)


def _of_set(items: Raw, at: str) -> Iterator[FieldError]:
    text = f"must be atomic as item of a list with {_LIST}=set"
    if items.get("type") == "array" and items.get(_LIST) not in (None, "atomic"):
        yield invalid(f"{at}.items.{_LIST}", items[_LIST], text)
    if items.get("type") == "object" and items.get(_MAP) != "atomic":
        yield invalid(f"{at}.items.{_MAP}", items.get(_MAP), text)


def _of_map(items: Raw | None, keys: list[str], at: str) -> Iterator[FieldError]:
    if not keys:
        yield required(f"{at}.{_KEYS}", f"must not be empty if {_LIST} is map")
    if items is None:
        yield required(f"{at}.items", f"must have a schema if {_LIST} is map")
        return
    type_ = items.get("type") or ""
    if type_ != "object":
        yield invalid(f"{at}.items.type", type_, f"must be object if parent array's {_LIST} is map")
        return
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        field = properties.get(key)
        if field is None:
            yield invalid(f"{at}.{_KEYS}", keys, "entries must all be names of item properties")
        else:
            yield from _map_key(items, field, key, at)
        if key in keys[:index]:
            yield invalid(f"{at}.{_KEYS}", keys, "must not contain duplicate entries")


def _map_key(items: Raw, field: Raw, key: str, at: str) -> Iterator[FieldError]:
    where = f"{at}.items.properties[{key}]"
    if field.get("type") in ("array", "object"):
        text = f"must be a scalar type if parent array's {_LIST} is map"
        yield invalid(f"{where}.type", items.get("type"), text)
    if key not in (items.get("required") or ()) and field.get("default") is None:
        text = f"this property is in {_KEYS}, so it must have a default or be a required property"
        yield required(f"{where}.default", text)
    if field.get("nullable"):
        yield forbidden(f"{where}.nullable", f"this property is in {_KEYS}, so it cannot be nullable")
