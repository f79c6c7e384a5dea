"""What is wrong with an object's shape, in the words the API's decoder uses.

The texts are those of Go's JSON decoder, because clients and people know them:

    json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32

The first name is the innermost struct, then follows the path of fields from the top (lists and maps add nothing to it).
"""

from __future__ import annotations

import base64
import binascii
import re
from calendar import monthrange
from collections.abc import Iterator
from typing import Any

from api.field import quote
from api.metadata import parse_time
from api.quantity import FORMAT_ERROR, QuantityError, parse
from api.schema.check import exact
from api.schema.node import Form, Schema
from api.schema.types import embedded, type_name

_RANGES = {Form.INT32: (-(1 << 31), (1 << 31) - 1), Form.INT64: (-(1 << 63), (1 << 63) - 1)}


class _Mismatch(Exception):
    """The decoder's error text."""


def type_error(schema: Schema, kind: str, version: str, obj: Any) -> str | None:
    """The first value of a wrong type, as the message of a 400; None if there is none."""
    if exact(schema, obj):
        return None
    try:
        _check(schema, obj, _Place(schema.name.rpartition(".")[2] or kind, ()))
    except _Mismatch as problem:
        return f'{kind} in version "{version}" cannot be handled as a {kind}: {problem}'
    return None


class _Place:
    """The struct being decoded, and the fields that led to it."""

    __slots__ = ("fields", "struct")

    def __init__(self, struct: str, fields: tuple[str, ...]) -> None:
        self.struct = struct
        self.fields = fields

    @property
    def key(self) -> str:
        return f"{self.struct}.{self.fields[-1]}" if self.fields else ""

    def mismatch(self, shown: str, go_type: str) -> _Mismatch:
        where = f"Go struct field {self.struct}.{'.'.join(self.fields)}" if self.fields else "Go value"
        return _Mismatch(f"json: cannot unmarshal {shown} into {where} of type {go_type}")


def _check(schema: Schema, value: Any, place: _Place) -> None:
    if value is None or type(value) is schema.alternative:
        return
    if schema.custom:
        _check_custom(schema, value, place)
        return
    match schema.form:
        case Form.STRUCT:
            if not isinstance(value, dict):
                raise place.mismatch(_json_type(value), type_name(schema, place.key))
            _check_struct(schema, value, place)
        case Form.MAP:
            if not isinstance(value, dict):
                raise place.mismatch(_json_type(value), type_name(schema, place.key))
            for item in value.values():
                _check(schema.values, item, place)
        case Form.LIST:
            if not isinstance(value, list):
                raise place.mismatch(_json_type(value), type_name(schema, place.key))
            for item in value:
                _check(schema.items, item, place)
        case _:
            _check_scalar(schema, value, place)


def _check_custom(schema: Schema, value: Any, place: _Place) -> None:
    """Only the parts of built-in types have to be as the decoder wants them: metadata, here and in embedded objects."""
    if isinstance(value, dict):
        for name, item in value.items():
            field = schema.properties.get(name) if schema.form is Form.STRUCT else schema.child(name)
            if field is not None and field.form not in (Form.ANY, Form.STRING):
                _check(field, item, _Place(place.struct, (*place.fields, name)))
    elif isinstance(value, list) and schema.form is Form.LIST:
        for item in value:
            _check(schema.items, item, place)


def _check_struct(schema: Schema, value: dict[str, Any], place: _Place) -> None:
    struct = schema.name.rpartition(".")[2] or place.struct
    for name, item in value.items():
        field = schema.properties.get(name)
        if field is not None and not exact(field, item):
            _check(field, item, _Place(struct, (*place.fields, *embedded(struct, name), name)))


def _check_scalar(schema: Schema, value: Any, place: _Place) -> None:
    match schema.form:
        case Form.STRING:
            good = isinstance(value, str)
        case Form.BOOL:
            good = isinstance(value, bool)
        case Form.INT32 | Form.INT64:
            return _check_integer(schema.form, value, place)
        case Form.FLOAT:
            good = isinstance(value, (int, float)) and not isinstance(value, bool)
        case Form.BYTES:
            return _check_bytes(value, place)
        case Form.TIME | Form.MICRO_TIME:
            return _check_time(schema.form, value, place)
        case Form.QUANTITY:
            return _check_quantity(value)
        case Form.INT_OR_STRING:
            if not isinstance(value, str):
                _check_integer(Form.INT32, value, place)
            return None
        case Form.OBJECT:
            good = isinstance(value, dict)
        case _:
            good = True
    if not good:
        raise place.mismatch(_json_type(value), type_name(schema, place.key))
    return None


def _check_integer(form: Form, value: Any, place: _Place) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise place.mismatch(_json_type(value), form.value)
    low, high = _RANGES[form]
    if isinstance(value, float) or not low <= value <= high:
        raise place.mismatch(f"number {_number(value)}", form.value)


def _number(value: int | float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) >= 1e16 else str(value)


def _check_bytes(value: Any, place: _Place) -> None:
    if not isinstance(value, str):
        raise place.mismatch(_json_type(value), "[]uint8")
    text = re.sub("[\r\n]", "", value)
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _Mismatch(f"illegal base64 data at input byte {_first_bad_byte(text)}") from None


def _first_bad_byte(text: str) -> int:
    match = re.match(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text)
    start = match.end() if match else 0
    bad = re.search(r"[^A-Za-z0-9+/]", text[start:])
    return start + (bad.start() if bad else len(text[start:]) // 4 * 4)


def _check_quantity(value: Any) -> None:
    if isinstance(value, (bool, list, dict)):
        raise _Mismatch(FORMAT_ERROR)
    try:
        parse(value.strip() if isinstance(value, str) else value)
    except QuantityError as problem:
        raise _Mismatch(str(problem)) from None


_LAYOUTS = {Form.TIME: "2006-01-02T15:04:05Z07:00", Form.MICRO_TIME: "2006-01-02T15:04:05.000000Z07:00"}
_TIME_PARTS = (
    ("2006", r"\d{4}", 1, 9999, "year"),
    ("-", "-", 0, 0, ""),
    ("01", r"\d{2}", 1, 12, "month"),
    ("-", "-", 0, 0, ""),
    ("02", r"\d{2}", 1, 31, "day"),
    ("T", "T", 0, 0, ""),
    ("15", r"\d{2}", 0, 23, "hour"),
    (":", ":", 0, 0, ""),
    ("04", r"\d{2}", 0, 59, "minute"),
    (":", ":", 0, 0, ""),
    ("05", r"\d{2}(?:[.,]\d+)?", 0, 59, "second"),
    ("Z07:00", r"Z|[+-]\d{2}:\d{2}", 0, 0, ""),
)


def _check_time(form: Form, value: Any, place: _Place) -> None:
    if not isinstance(value, str):
        raise place.mismatch(_json_type(value), "string")
    layout, rest = _LAYOUTS[form], value
    for part, pattern, low, high, name in _TIME_PARTS:
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            raise _Mismatch(
                f"parsing time {quote(value)} as {quote(layout)}: cannot parse {quote(rest)} as {quote(part)}"
            )
        if name and not low <= int(match[0][: len(part)]) <= high:
            raise _Mismatch(f"parsing time {quote(value)}: {name} out of range")
        rest = rest[match.end() :]
    if rest:
        raise _Mismatch(f"parsing time {quote(value)}: extra text: {quote(rest)}")
    if int(value[8:10]) > monthrange(int(value[:4]), int(value[5:7]))[1]:
        raise _Mismatch(f"parsing time {quote(value)}: day out of range")
    try:
        parse_time(value)
    except ValueError:
        raise _Mismatch(f"parsing time {quote(value)}: time zone offset hour out of range") from None


def _json_type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"


def unknown_fields(schema: Schema, obj: Any) -> list[str]:
    """The dotted paths of fields the schema does not know (`spec.containers[0].imge`), in the object's order."""
    return [] if exact(schema, obj) else list(_unknown(schema, obj, ""))


def _unknown(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and schema.form is Form.STRUCT:
        for name, item in value.items():
            where = f"{path}.{name}" if path else name
            field = schema.properties.get(name)
            if field is not None:
                if not exact(field, item):
                    yield from _unknown(field, item, where)
            elif not schema.embedded:
                yield where
    elif isinstance(value, dict) and schema.form is Form.MAP:
        for name, item in value.items():
            yield from _unknown(schema.values, item, f"{path}.{name}")
    elif isinstance(value, list) and schema.form is Form.LIST:
        for index, item in enumerate(value):
            yield from _unknown(schema.items, item, f"{path}[{index}]")
