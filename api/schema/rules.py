"""The single rules that a schema can set for a custom resource: each a test and, for when it fails, the complaint.

The quick check runs the tests alone; only what fails is put into words. So each rule stands in one place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from api.field import FieldError, duplicate, invalid, not_supported, too_long, too_many, type_invalid
from api.schema.formats import format_check
from api.schema.patterns import compile_pattern

Raw = Mapping[str, Any]
Complaints = Callable[[str, Any], Iterable[FieldError]]
"""What to say of a path and the value there."""


class Rule(NamedTuple):
    holds: Callable[[Any], bool]
    complaints: Complaints


def one(path_to_error: Callable[[str, Any], FieldError]) -> Complaints:
    return lambda path, value: (path_to_error(path, value),)


def shown_number(number: float) -> str:
    """A bound as messages show it: `10` for 10.0."""
    if isinstance(number, int):
        return str(number)
    if number.is_integer() and abs(number) < 1e21:
        return str(int(number))
    return repr(number)


def _says(text: str, shown: Callable[[Any], Any] = lambda value: value) -> Complaints:
    return one(lambda path, value: invalid(path, shown(value), f"{path} in body should {text}"))


def rules_of(raw: Raw) -> dict[type, tuple[Rule, ...]]:
    """A schema's rules by the type of the values they are about."""
    numbers, strings = tuple(_numbers(raw)), tuple(_strings(raw))
    lists, objects = tuple(_lists(raw)), tuple(_objects(raw))
    found = {int: numbers, float: numbers, str: strings, list: lists, dict: objects}
    return {kind: rules for kind, rules in found.items() if rules}


def _numbers(raw: Raw) -> Iterable[Rule]:
    factor, most, least = raw.get("multipleOf"), raw.get("maximum"), raw.get("minimum")
    if factor:
        yield Rule(lambda value: _is_multiple(value, factor), _says(f"be a multiple of {shown_number(factor)}"))
    if most is not None:
        if raw.get("exclusiveMaximum"):
            yield Rule(lambda value: value < most, _says(f"be less than {shown_number(most)}"))
        else:
            yield Rule(lambda value: value <= most, _says(f"be less than or equal to {shown_number(most)}"))
    if least is not None:
        if raw.get("exclusiveMinimum"):
            yield Rule(lambda value: value > least, _says(f"be greater than {shown_number(least)}"))
        else:
            yield Rule(lambda value: value >= least, _says(f"be greater than or equal to {shown_number(least)}"))


def _is_multiple(value: float, factor: float) -> bool:
    if isinstance(value, int) and float(factor).is_integer():
        return value % int(factor) == 0
    share = value / factor
    return math.isclose(share, round(share), rel_tol=1e-9, abs_tol=1e-9)


def _strings(raw: Raw) -> Iterable[Rule]:
    most, least, pattern = raw.get("maxLength"), raw.get("minLength"), raw.get("pattern")
    if most is not None:
        yield Rule(lambda value: len(value) <= most, one(lambda path, value: too_long(path, value, most)))
    if least is not None:
        yield Rule(lambda value: len(value) >= least, _says(f"be at least {least} chars long"))
    if pattern:
        yield Rule(compile_pattern(pattern), _says(f"match '{pattern}'"))
    name = raw.get("format") or ""
    if check := format_check(name):
        text = f"in body must be of type {name}"
        yield Rule(check, one(lambda path, value: type_invalid(path, value, f'{path} {text}: "{value}"')))


def _lists(raw: Raw) -> Iterable[Rule]:
    most, least = raw.get("maxItems"), raw.get("minItems")
    if least is not None:
        yield Rule(lambda value: len(value) >= least, _says(f"have at least {least} items", len))
    if most is not None:
        yield Rule(lambda value: len(value) <= most, one(lambda path, value: too_many(path, len(value), most)))
    match raw.get("x-kubernetes-list-type"):
        case "set":
            yield Rule(lambda value: not _repeated(value), _repetitions(lambda item: item))
        case "map":
            key_of = _key_of(raw.get("x-kubernetes-list-map-keys") or ())
            yield Rule(_only_objects, _not_objects)
            yield Rule(lambda value: not _repeated(map(key_of, value)), _repetitions(key_of))


def _objects(raw: Raw) -> Iterable[Rule]:
    most, least = raw.get("maxProperties"), raw.get("minProperties")
    if least is not None:
        yield Rule(lambda value: len(value) >= least, _says(f"have at least {least} properties", len))
    if most is not None:
        yield Rule(lambda value: len(value) <= most, one(lambda path, value: too_many(path, len(value), most)))


def _key_of(keys: Iterable[str]) -> Callable[[Any], Any]:
    return lambda item: {key: item[key] for key in keys if key in item} if isinstance(item, dict) else {}


def identity(value: Any) -> Any:
    """What is the same for equal JSON values only: true is not 1."""
    if isinstance(value, (dict, list)):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return (isinstance(value, bool), value)


def _repeated(values: Iterable[Any]) -> list[int]:
    """Where a value stands for the second time."""
    seen: dict[Any, int] = {}
    found = []
    for index, value in enumerate(values):
        key = identity(value)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 2:
            found.append(index)
    return found


def _repetitions(key_of: Callable[[Any], Any]) -> Complaints:
    def complaints(path: str, value: Any) -> Iterable[FieldError]:
        keys = [key_of(item) for item in value]
        return [duplicate(f"{path}[{index}]", keys[index]) for index in _repeated(keys)]

    return complaints


def _only_objects(value: list[Any]) -> bool:
    return all(item is None or type(item) is dict for item in value)


def _not_objects(path: str, value: list[Any]) -> Iterable[FieldError]:
    index, item = next((index, item) for index, item in enumerate(value) if item is not None and type(item) is not dict)
    return [invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")]


def enum_rule(values: list[Any]) -> Rule:
    """One of a few values. null is none of them, even if it is listed: what may be null is `nullable`."""
    allowed = frozenset(identity(value) for value in values if value is not None)
    texts = [value if isinstance(value, str) else orjson.dumps(value).decode() for value in values]
    return Rule(
        lambda value: value is not None and identity(value) in allowed,
        one(lambda path, value: not_supported(path, value, texts)),
    )
