"""Whether a schema is structural: it says the type of every field outside of `allOf`, `anyOf`, `oneOf` and `not`, and
these only restrict values further. Without that nobody could tell which fields to prune, or what to default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from api.field import FieldError, forbidden, invalid, required
from api.schema.patterns import PatternError, compile_pattern
from api.schema.structural import EMBEDDED, PRESERVE

Raw = Mapping[str, Any]

INT_OR_STRING = "x-kubernetes-int-or-string"
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_NAMES = frozenset({"name", "generateName"})


class Level(Enum):
    """Where a schema stands, and what is said when its type is missing there."""

    ROOT = "must not be empty at the root"
    ITEM = "must not be empty for specified array items"
    FIELD = "must not be empty for specified object fields"


def validate_structural(raw: Raw, at: str) -> list[FieldError]:
    """Every violation, each with its path, in the order of their texts."""
    return sorted((*_invariants(raw, Level.ROOT, at), *_incomplete(raw, raw, at, at)), key=str)


def _invariants(raw: Raw, level: Level, at: str) -> Iterator[FieldError]:
    items, additional = raw.get("items"), raw.get("additionalProperties")
    if raw.get("type") == "array" and items is None:
        yield required(f"{at}.items", "must be specified")
    if isinstance(items, dict):
        yield from _invariants(items, Level.ITEM, f"{at}.items")
    for name, field in _fields(raw):
        yield from _invariants(field, Level.FIELD, f"{at}.properties[{name}]")
    if additional is not None and level is Level.ROOT:
        yield forbidden(f"{at}.additionalProperties", "must not be used at the root")
    if isinstance(additional, dict):
        yield from _invariants(additional, Level.FIELD, f"{at}.additionalProperties")
    for extension in (PRESERVE, EMBEDDED):
        if raw.get(INT_OR_STRING) and raw.get(extension):
            yield invalid(f"{at}.{extension}", True, f"must be false if {INT_OR_STRING} is true")
    yield from _value_rules(raw, at, skip_any=raw.get("anyOf") == _INT_OR_STRING, skip_first_all=_all_of_pattern(raw))
    yield from _type(raw, level, at)
    yield from _resource(raw, level, at)


def _type(raw: Raw, level: Level, at: str) -> Iterator[FieldError]:
    name = raw.get("type") or ""
    if raw.get(EMBEDDED) and name != "object":
        text = f"must be object if {EMBEDDED} is true"
        yield invalid(f"{at}.type", name, text) if name else required(f"{at}.type", text)
    elif not name and not raw.get(INT_OR_STRING) and not raw.get(PRESERVE):
        yield required(f"{at}.type", level.value)
    if level is Level.ROOT and name and name != "object":
        yield invalid(f"{at}.type", name, "must be object at the root")


def _resource(raw: Raw, level: Level, at: str) -> Iterator[FieldError]:
    """The fields that every resource has, at the root and in embedded ones."""
    embedded, properties = bool(raw.get(EMBEDDED)), raw.get("properties") or {}
    if embedded and raw.get("additionalProperties") is not None:
        yield forbidden(f"{at}.additionalProperties", f"must not be used if {EMBEDDED} is set")
    if level is Level.ROOT or embedded:
        for name in ("kind", "apiVersion"):
            found = properties.get(name)
            if found is not None and found.get("type") != "string":
                yield invalid(f"{at}.properties[{name}].type", found.get("type") or "", "must be string")
        metadata = properties.get("metadata")
        if metadata is not None and metadata.get("type") != "object":
            yield invalid(f"{at}.properties[metadata].type", metadata.get("type") or "", "must be object")
    if level is Level.ROOT and not _only_names(properties.get("metadata") or {}):
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden(f"{at}.properties[metadata]", text)
    if embedded and not raw.get(PRESERVE) and not properties:
        text = f"must not be empty if {EMBEDDED} is true without {PRESERVE}"
        yield required(f"{at}.properties", text)


def _only_names(metadata: Raw) -> bool:
    properties = metadata.get("properties") or {}
    return metadata.keys() <= {"type", "properties", "description"} and properties.keys() <= _NAMES


def _all_of_pattern(raw: Raw) -> bool:
    return bool(raw.get("allOf")) and bool(raw["allOf"][0].get("anyOf") == _INT_OR_STRING)


def _value_rules(raw: Raw, at: str, *, skip_any: bool = False, skip_first_all: bool = False) -> Iterator[FieldError]:
    """What `allOf` and the like hold, and the pattern."""
    for where, nested in _branches(raw):
        if not (skip_any and where.startswith("anyOf")):
            yield from _nested(nested, f"{at}.{where}", skip_any=skip_first_all and where == "allOf[0]")
    if pattern := raw.get("pattern"):
        try:
            compile_pattern(pattern)
        except PatternError as problem:
            text = f"must be a valid regular expression, but isn't: {problem}"
            yield invalid(f"{at}.pattern", pattern, text)


def _branches(raw: Raw) -> Iterator[tuple[str, Raw]]:
    for word in ("anyOf", "allOf", "oneOf"):
        for index, nested in enumerate(raw.get(word) or ()):
            yield f"{word}[{index}]", nested
    if isinstance(raw.get("not"), dict):
        yield "not", raw["not"]


_EMPTY = ("type", "title", "description", "x-kubernetes-list-map-keys", "x-kubernetes-validations")
_UNDEFINED = ("additionalProperties", "default", "x-kubernetes-list-type", "x-kubernetes-map-type")
_FALSE = ("nullable", PRESERVE, EMBEDDED, INT_OR_STRING)


def _nested(raw: Raw, at: str, skip_any: bool = False) -> Iterator[FieldError]:
    """A schema that may only restrict values."""
    yield from _value_rules(raw, at, skip_any=skip_any)
    if isinstance(raw.get("items"), dict):
        yield from _nested(raw["items"], f"{at}.items")
    for name, field in _fields(raw):
        yield from _nested(field, f"{at}.properties[{name}]")
    for name in _EMPTY:
        if raw.get(name):
            yield forbidden(f"{at}.{name}", "must be empty to be structural")
    for name in _UNDEFINED:
        if raw.get(name) is not None:
            yield forbidden(f"{at}.{name}", "must be undefined to be structural")
    for name in _FALSE:
        if raw.get(name):
            yield forbidden(f"{at}.{name}", "must be false to be structural")
    if "metadata" in (raw.get("properties") or {}):
        yield forbidden(f"{at}.properties[metadata]", "must not be specified in a nested context")


def _incomplete(restriction: Raw, raw: Raw | None, at: str, why: str) -> Iterator[FieldError]:
    """Fields and items that are restricted somewhere without being specified."""
    for where, nested in _branches(restriction):
        yield from _unspecified(nested, raw, at, f"{why}.{where}")


def _unspecified(restriction: Raw, raw: Raw | None, at: str, why: str) -> Iterator[FieldError]:
    if raw is None:
        yield required(at, f"because it is defined in {why}")
        return
    yield from _incomplete(restriction, raw, at, why)
    if isinstance(restriction.get("items"), dict):
        yield from _unspecified(restriction["items"], raw.get("items"), f"{at}.items", f"{why}.items")
    specified = raw.get("properties") or {}
    for name, field in _fields(restriction):
        place, reason = f"{at}.properties[{name}]", f"{why}.properties[{name}]"
        yield from _unspecified(field, specified.get(name), place, reason)


def _fields(raw: Raw) -> Iterable[tuple[str, Raw]]:
    return (raw.get("properties") or {}).items()
