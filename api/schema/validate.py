"""Whether a custom resource is what its schema says, and what is wrong with it, in the API's words.

Each node of a schema becomes a `Validator`: its `valid` is a closure that answers yes or no at the first doubt, which
is all that a good object costs. Where the answer is no, `problems` walks down to what is wrong. On an update what was
wrong before, and has not been touched, is let pass: else a schema that became stricter would keep old objects from
being changed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from api.field import FieldError, invalid, required, type_invalid
from api.schema.check import is_whole
from api.schema.formats import format_check
from api.schema.rules import Rule, enum_rule, identity, rules_of

Valid = Callable[[Any], bool]

ABSENT: Any = object()
"""There is no old value to compare with."""

_TYPES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
}
_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
_ROOT = "<nil>"


class Validator:
    """One node. Made of a schema without references, once for all objects."""

    __slots__ = (
        "additional",
        "all_of",
        "any_of",
        "enum",
        "forbidden",
        "items",
        "keys",
        "nullable",
        "one_of",
        "properties",
        "raw",
        "required",
        "rules",
        "type_text",
        "types",
        "valid",
    )

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.types, self.type_text = _types_of(raw)
        self.nullable = bool(raw.get("nullable")) or not self.types
        self.rules = rules_of(raw)
        self.enum: Rule | None = enum_rule(raw["enum"]) if raw.get("enum") else None
        self.properties = {name: _of(child) for name, child in (raw.get("properties") or {}).items()}
        self.required = frozenset(raw.get("required") or ())
        self.additional = _child(raw, "additionalProperties")
        self.items = _child(raw, "items")
        self.any_of, self.one_of, self.all_of = (
            tuple(_of(each) for each in raw.get(name) or ()) for name in ("anyOf", "oneOf", "allOf")
        )
        self.forbidden = _child(raw, "not")
        self.keys: tuple[str, ...] = ()
        if raw.get("x-kubernetes-list-type") == "map":
            self.keys = tuple(raw.get("x-kubernetes-list-map-keys") or ())
        self.valid: Valid = _compile(self)

    @property
    def only_type(self) -> type | None:
        """The Python type that is all there is to check, if it is."""
        if len(self.types) != 1 or self.nullable or self.enum or self.rules or self.combined:
            return None
        (kind,) = self.types
        return kind if kind in (str, bool, int) else None

    @property
    def combined(self) -> bool:
        return bool(self.any_of or self.one_of or self.all_of or self.forbidden)

    def problems(self, value: Any, path: str = "", old: Any = ABSENT) -> list[FieldError]:
        """What is wrong with a value, and was not so before (`old`)."""
        if self.valid(value) or (old is not ABSENT and identity(value) == identity(old)):
            return []
        found = list(self._type_problems(value, path))
        if value is not None:
            found += self._combined_problems(value, path)
            for rule in self.rules.get(type(value), ()):
                if not rule.holds(value):
                    found += rule.complaints(path or _ROOT, value)
        if self.enum is not None and not self.enum.holds(value):
            found += self.enum.complaints(path or _ROOT, value)
        if isinstance(value, list) and self.items is not None:
            found += self._item_problems(self.items, value, path, old)
        elif isinstance(value, dict):
            found += self._field_problems(value, path, old if isinstance(old, dict) else {})
        return found

    def _type_problems(self, value: Any, path: str) -> Iterator[FieldError]:
        if not _is_of_type(self, value):
            name = "null" if value is None else _NAMES[type(value)]
            text = f'{path} in body must be of type {self.type_text}: "{name}"'
            yield type_invalid(path or _ROOT, name, text)

    def _combined_problems(self, value: Any, path: str) -> Iterator[FieldError]:
        if self.any_of and not any(each.valid(value) for each in self.any_of):
            yield invalid(_ROOT, "", f'"{path}" must validate at least one schema (anyOf)')
            yield from _nearest(self.any_of, value, path)
        if self.one_of and (fitting := sum(each.valid(value) for each in self.one_of)) != 1:
            how = f"Found {fitting} valid alternatives" if fitting else "Found none valid"
            yield invalid(_ROOT, "", f'"{path}" must validate one and only one schema (oneOf). {how}')
            if not fitting:
                yield from _nearest(self.one_of, value, path)
        if failing := [each for each in self.all_of if not each.valid(value)]:
            for each in failing:
                yield from each.problems(value, path)
            none = ". None validated" if len(failing) == len(self.all_of) else ""
            yield invalid(_ROOT, "", f'"{path}" must validate all the schemas (allOf){none}')
        if self.forbidden is not None and self.forbidden.valid(value):
            yield invalid(_ROOT, "", f'"{path}" must not validate the schema (not)')

    def _field_problems(self, value: dict[str, Any], path: str, old: dict[str, Any]) -> Iterator[FieldError]:
        for name, item in value.items():
            child = self.properties.get(name, self.additional)
            if child is not None and not child.valid(item):
                yield from child.problems(item, _below(path, name), old.get(name, ABSENT))
        for name in self.raw.get("required") or ():
            if name not in value:
                yield required(_below(path, name))

    def _item_problems(self, items: Validator, value: list[Any], path: str, old: Any) -> Iterator[FieldError]:
        before = {}
        if self.keys and isinstance(old, list):
            before = {self._key(item): item for item in old}
        for index, item in enumerate(value):
            if not items.valid(item):
                yield from items.problems(item, f"{path}[{index}]", before.get(self._key(item), ABSENT))

    def _key(self, item: Any) -> Any:
        return tuple(identity(item.get(key)) for key in self.keys) if isinstance(item, dict) else None


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _nearest(alternatives: Iterable[Validator], value: Any, path: str) -> list[FieldError]:
    """What is wrong with the alternative that fits best."""
    return min((each.problems(value, path) for each in alternatives), key=len)


_PROSE = frozenset({"description", "title", "example", "externalDocs"})
_TYPE_ONLY = frozenset({"type", "nullable"})


def _of(raw: Mapping[str, Any]) -> Validator:
    """A node. Most say no more than a type: of those there is one for all schemas."""
    facts = raw.keys() - _PROSE
    if "format" in facts and format_check(raw["format"]) is None:
        facts.discard("format")
    return _plain(raw.get("type") or "", bool(raw.get("nullable"))) if facts <= _TYPE_ONLY else Validator(raw)


@cache
def _plain(type_: str, nullable: bool) -> Validator:
    return Validator({"type": type_, "nullable": nullable})


def _child(raw: Mapping[str, Any], name: str) -> Validator | None:
    child = raw.get(name)
    return _of(child) if isinstance(child, dict) else None


def _types_of(raw: Mapping[str, Any]) -> tuple[frozenset[type], str]:
    """The Python types that a value may have (empty: any), and how messages call them."""
    if raw.get("x-kubernetes-int-or-string"):
        return frozenset({int, str}), "integer,string"
    name = raw.get("type") or ""
    return _TYPES.get(name, frozenset()), name


def _is_of_type(node: Validator, value: Any) -> bool:
    if value is None:
        return node.nullable
    kind = type(value)
    if not node.types or kind in node.types:
        return True
    return kind is float and int in node.types and is_whole(value)


def _compile(node: Validator) -> Valid:
    """The quick check of a node: by the type of the value, those of its parts."""
    always: tuple[Valid, ...] = (node.enum.holds,) if node.enum else ()
    if node.combined:
        always += (_combination(node),)
    checks: dict[type, list[Valid]] = {kind: [rule.holds for rule in found] for kind, found in node.rules.items()}
    if node.properties or node.required or node.additional:
        checks.setdefault(dict, []).append(_of_fields(node))
    if node.items is not None:
        checks.setdefault(list, []).append(_of_items(node.items))
    by_type = {kind: (*found, *always) for kind, found in checks.items()}
    return _typed(node, by_type, always) if by_type or always else _only_typed(node)


def _only_typed(node: Validator) -> Valid:
    types = node.types
    return lambda value: type(value) in types or _is_of_type(node, value)


def _typed(node: Validator, by_type: dict[type, tuple[Valid, ...]], always: tuple[Valid, ...]) -> Valid:
    types, checks_of, enum = node.types, by_type.get, node.enum

    def valid(value: Any) -> bool:
        kind = type(value)
        if kind not in types:
            if not _is_of_type(node, value):
                return False
            if value is None:
                return enum is None or enum.holds(None)
        for check in checks_of(kind, always):  # noqa: SIM110 (a generator would cost more than the checks)
            if not check(value):
                return False
        return True

    return valid


def _of_fields(node: Validator) -> Valid:
    plain = {name: kind for name, child in node.properties.items() if (kind := child.only_type)}
    checks = {name: child.valid for name, child in node.properties.items()}
    other = node.additional.valid if node.additional else None
    type_of, check_of, needed = plain.get, checks.get, node.required

    def valid(value: dict[str, Any]) -> bool:
        for name, item in value.items():
            if type_of(name) is type(item):
                continue
            check = check_of(name, other)
            if check is not None and not check(item):
                return False
        return not needed or needed <= value.keys()

    return valid


def _of_items(items: Validator) -> Valid:
    kind, check = items.only_type, items.valid
    if kind is not None:
        only = frozenset({kind})
        return lambda value: only.issuperset(map(type, value))
    return lambda value: all(map(check, value))


def _combination(node: Validator) -> Valid:
    def valid(value: Any) -> bool:
        if node.any_of and not any(each.valid(value) for each in node.any_of):
            return False
        if node.one_of and sum(each.valid(value) for each in node.one_of) != 1:
            return False
        if not all(each.valid(value) for each in node.all_of):
            return False
        return node.forbidden is None or not node.forbidden.valid(value)

    return valid
