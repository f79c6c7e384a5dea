"""Protobuf bodies into the JSON objects they stand for.

Real `kubectl create …` and helm send nothing else for some kinds. Zero values that JSON would leave out are left out.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

import orjson

from api.codec import MalformedBody, decode_json
from api.metadata import micro_time, rfc3339
from api.protobuf.tables import EXTENSIONS, MAGIC, META, Row, find_message, rows_of

Read = Callable[[Any, int], Any]
"""Makes a JSON value of a field's content, and of how deep it stands."""
Set = Callable[[dict[str, Any], Any, int], None]

_DEPTH_LIMIT = 100
_TIME_SIZE = 22
"""The most bytes of a Time: two numbers with their tags."""
_SCALARS = frozenset({"bool", "bytes", "double", "int32", "int64", "string"})


def decode(body: bytes) -> dict[str, Any]:
    """The object, with its apiVersion and kind. Raises MalformedBody."""
    return _body(body, 0)


def _body(body: bytes, depth: int) -> dict[str, Any]:
    if not body.startswith(MAGIC):
        raise MalformedBody("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    unknown = {number: value for number, _, value in _fields(body[len(MAGIC) :])}
    type_meta = {number: value for number, _, value in _fields(_bytes(unknown.get(1, b"")))}
    api_version, kind = _text(_bytes(type_meta.get(1, b""))), _text(_bytes(type_meta.get(2, b"")))
    raw = _bytes(unknown.get(2, b""))
    if _text(_bytes(unknown.get(4, b""))) == "application/json":
        return decode_json(raw)
    if not kind:
        raise MalformedBody("Object 'Kind' is missing in the protobuf message")
    obj: dict[str, Any] = _message(find_message(api_version, kind))(raw, depth)
    return {"apiVersion": api_version, "kind": kind} | obj


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise MalformedBody("unexpected EOF")
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFFFFFFFFFFFFFF, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """(number, wire type, value) of each field: a number for wire type 0, else bytes. Raises MalformedBody."""
    at, end = 0, len(data)
    while at < end:
        tag = data[at]
        if tag < 0x80:
            at += 1
        else:
            tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        value: int | bytes
        if wire_type == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif wire_type == 0:
            value, at = _varint(data, at)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
            value, at = data[at : at + size], at + size
        else:
            raise MalformedBody(f"proto: illegal wireType {wire_type}")
        if at > end or number == 0:
            raise MalformedBody("unexpected EOF" if at > end else "proto: illegal tag 0")
        yield number, wire_type, value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    raise MalformedBody("proto: wrong wireType for a field of bytes")


def _int(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise MalformedBody("proto: wrong wireType for a field of varint")
    return value - (1 << 64) if value >> 63 else value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        raise MalformedBody("string field contains invalid UTF-8") from problem


@cache
def _message(name: str) -> Read:
    """The function that reads a message as a JSON object. It looks at its fields with the first one: they may nest."""
    rows = rows_of(name)
    setters: dict[int, Set] = {}

    def read(data: bytes, depth: int) -> dict[str, Any]:
        if depth > _DEPTH_LIMIT:
            raise MalformedBody("exceeded max depth")
        if not setters:
            setters.update(_setter(number, row) for number, row in rows.items())
        obj: dict[str, Any] = {}
        for number, wire_type, raw in _fields(data):
            setter = setters.get(number << 3 | wire_type)
            if setter is not None:
                setter(obj, raw, depth)
            elif number in rows:
                raise MalformedBody(f"proto: wrong wireType = {wire_type} for field {rows[number].name}")
        return obj

    return read


def _setter(number: int, row: Row) -> tuple[int, Set]:
    """(tag, what puts a field's value into the object)."""
    name = row.name
    if row.values:
        entry = _entry(row.values)

        def put(obj: dict[str, Any], raw: Any, depth: int) -> None:
            key, value = entry(raw, depth)
            obj.setdefault(name, {})[key] = value

        return number << 3 | 2, put
    wire_type, value_of = _reader(row.type)
    if row.repeated:

        def add(obj: dict[str, Any], raw: Any, depth: int) -> None:
            obj.setdefault(name, []).append(value_of(raw, depth))

        return number << 3 | wire_type, add
    if row.inlined:
        return number << 3 | wire_type, lambda obj, raw, depth: obj.update(value_of(raw, depth))
    if row.keeps_zero or row.type not in _SCALARS:

        def put_any(obj: dict[str, Any], raw: Any, depth: int) -> None:
            if (value := value_of(raw, depth)) is not None:
                obj[name] = value

        return number << 3 | wire_type, put_any

    def put_some(obj: dict[str, Any], raw: Any, depth: int) -> None:
        if value := value_of(raw, depth):
            obj[name] = value

    return number << 3 | wire_type, put_some


def _entry(type_name: str) -> Callable[[bytes, int], tuple[str, Any]]:
    """Reads one entry of a map; an absent value is the type's empty one."""
    _, value_of = _reader(type_name)

    def entry(data: bytes, depth: int) -> tuple[str, Any]:
        found = _numbered(data)
        return _text(_bytes(found.get(1, b""))), value_of(_bytes(found.get(2, b"")), depth)

    return entry


def _reader(type_name: str) -> tuple[int, Read]:
    """(wire type, what reads a value)."""
    if type_name in _PLAIN:
        return _PLAIN[type_name]
    return 2, _SPECIAL.get(type_name) or _nested(type_name)


def _nested(type_name: str) -> Read:
    read = _message(type_name)
    return lambda raw, depth: read(raw, depth + 1)


def _double(raw: bytes, depth: int) -> float:
    if len(raw) != 8:
        raise MalformedBody("unexpected EOF")
    value: float = struct.unpack("<d", raw)[0]
    return value


_PLAIN: dict[str, tuple[int, Read]] = {
    "string": (2, lambda raw, depth: _text(raw)),
    "bytes": (2, lambda raw, depth: b64encode(raw).decode()),
    "int32": (0, lambda raw, depth: _int(raw)),
    "int64": (0, lambda raw, depth: _int(raw)),
    "bool": (0, lambda raw, depth: raw != 0),
    "double": (1, _double),
}


def _numbered(data: bytes) -> dict[int, int | bytes]:
    return {number: value for number, _, value in _fields(data)}


def _moment(data: bytes) -> datetime | None:
    fields = _numbered(data)
    seconds, nanos = _int(fields.get(1, 0)), _int(fields.get(2, 0))
    if not data:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        return None


def _time(data: bytes, depth: int) -> str | None:
    return _seconds(data) if len(data) <= _TIME_SIZE else None


@lru_cache(maxsize=4096)
def _seconds(data: bytes) -> str | None:
    moment = _moment(data)
    return rfc3339(moment) if moment else None


def _micro(data: bytes, depth: int) -> str | None:
    moment = _moment(data)
    return micro_time(moment) if moment else None


def _quantity(data: bytes, depth: int) -> str:
    return _text(_bytes(_numbered(data).get(1, b""))) or "0"


def _int_or_string(data: bytes, depth: int) -> int | str:
    fields = _numbered(data)
    return _text(_bytes(fields.get(3, b""))) if _int(fields.get(1, 0)) else _int(fields.get(2, 0))


def _raw_json(data: bytes, depth: int) -> Any:
    """RawExtension, FieldsV1 and JSON: bytes that hold JSON, or another protobuf body."""
    raw = _bytes(_numbered(data).get(1, b""))
    if not raw:
        return None
    if raw.startswith(MAGIC):
        return _body(raw, depth + 1)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise MalformedBody(f"invalid JSON inside a protobuf message: {problem}") from problem


def _strings(data: bytes, depth: int) -> list[str]:
    return [_text(_bytes(value)) for number, _, value in _fields(data) if number == 1]


def _schema_or_array(data: bytes, depth: int) -> Any:
    """A JSON schema, or a list of them."""
    props = f"{EXTENSIONS}.JSONSchemaProps"
    found = [(number, _message(props)(_bytes(value), depth + 1)) for number, _, value in _fields(data)]
    single = next((schema for number, schema in found if number == 1), None)
    return single if single is not None else [schema for _, schema in found]


def _schema_or_bool(data: bytes, depth: int) -> Any:
    fields = _numbered(data)
    if 2 in fields:
        return _message(f"{EXTENSIONS}.JSONSchemaProps")(_bytes(fields[2]), depth + 1)
    return bool(_int(fields.get(1, 0)))


def _schema_or_strings(data: bytes, depth: int) -> Any:
    fields = _numbered(data)
    if 1 in fields:
        return _message(f"{EXTENSIONS}.JSONSchemaProps")(_bytes(fields[1]), depth + 1)
    return [_text(_bytes(value)) for number, _, value in _fields(data) if number == 2]


_SPECIAL: dict[str, Callable[[bytes, int], Any]] = {
    f"{META}.Time": _time,
    f"{META}.MicroTime": _micro,
    f"{META}.FieldsV1": _raw_json,
    f"{META}.Verbs": _strings,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": _raw_json,
    "k8s.io.api.authentication.v1.ExtraValue": _strings,
    "k8s.io.api.authorization.v1.ExtraValue": _strings,
    "k8s.io.api.certificates.v1.ExtraValue": _strings,
    f"{EXTENSIONS}.JSON": _raw_json,
    f"{EXTENSIONS}.JSONSchemaPropsOrArray": _schema_or_array,
    f"{EXTENSIONS}.JSONSchemaPropsOrBool": _schema_or_bool,
    f"{EXTENSIONS}.JSONSchemaPropsOrStringArray": _schema_or_strings,
}
