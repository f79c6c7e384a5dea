"""Protobuf bodies into the JSON objects they stand for.

Real `kubectl create …` and helm send nothing else for some kinds. Zero values that JSON would leave out are left out.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from api.codec import MalformedBody, decode_json
from api.metadata import micro_time, rfc3339
from api.protobuf.tables import EXTENSIONS, MAGIC, META, find_message, rows_of

_DEPTH_LIMIT = 100
_SCALARS = frozenset({"bool", "bytes", "double", "int32", "int64", "string"})


def decode(body: bytes) -> dict[str, Any]:
    """The object, with its apiVersion and kind. Raises MalformedBody."""
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
    return {"apiVersion": api_version, "kind": kind} | _message(find_message(api_version, kind), raw, 0)


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


def _fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(number, wire type, value) of each field. Raises MalformedBody."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        value: int | bytes
        if wire_type == 0:
            value, at = _varint(data, at)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
            value, at = data[at : at + size], at + size
        elif wire_type == 2:
            size, at = _varint(data, at)
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


def _message(name: str, data: bytes, depth: int) -> dict[str, Any]:
    """A message as a JSON object."""
    if depth > _DEPTH_LIMIT:
        raise MalformedBody("exceeded max depth")
    rows, obj = rows_of(name), dict[str, Any]()
    for number, _, raw in _fields(data):
        row = rows.get(number)
        if row is None:
            continue
        if row.values:
            obj.setdefault(row.name, {}).update([_entry(row.values, _bytes(raw), depth)])
            continue
        value = _value(row.type, raw, depth)
        if row.repeated:
            obj.setdefault(row.name, []).append(value)
        elif row.inlined:
            obj.update(value)
        elif value is not None and (value or row.keeps_zero or row.type not in _SCALARS):
            obj[row.name] = value
    return obj


def _entry(type_name: str, data: bytes, depth: int) -> tuple[str, Any]:
    """One entry of a map; an absent value is the type's empty one."""
    entry = {number: value for number, _, value in _fields(data)}
    value = entry.get(2, b"" if type_name not in ("bool", "int32", "int64") else 0)
    return _text(_bytes(entry.get(1, b""))), _value(type_name, value, depth)


def _value(type_name: str, raw: int | bytes, depth: int) -> Any:
    match type_name:
        case "string":
            return _text(_bytes(raw))
        case "int32" | "int64":
            return _int(raw)
        case "bool":
            return bool(_int(raw))
        case "bytes":
            return b64encode(_bytes(raw)).decode()
        case "double":
            return struct.unpack("<d", _bytes(raw))[0]
    special = _SPECIAL.get(type_name)
    return special(_bytes(raw), depth) if special else _message(type_name, _bytes(raw), depth + 1)


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
        return decode(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise MalformedBody(f"invalid JSON inside a protobuf message: {problem}") from problem


def _strings(data: bytes, depth: int) -> list[str]:
    return [_text(_bytes(value)) for number, _, value in _fields(data) if number == 1]


def _schema_or_array(data: bytes, depth: int) -> Any:
    """A JSON schema, or a list of them."""
    props = f"{EXTENSIONS}.JSONSchemaProps"
    found = [(number, _message(props, _bytes(value), depth + 1)) for number, _, value in _fields(data)]
    single = next((schema for number, schema in found if number == 1), None)
    return single if single is not None else [schema for _, schema in found]


def _schema_or_bool(data: bytes, depth: int) -> Any:
    fields = _numbered(data)
    if 2 in fields:
        return _message(f"{EXTENSIONS}.JSONSchemaProps", _bytes(fields[2]), depth + 1)
    return bool(_int(fields.get(1, 0)))


def _schema_or_strings(data: bytes, depth: int) -> Any:
    fields = _numbered(data)
    if 1 in fields:
        return _message(f"{EXTENSIONS}.JSONSchemaProps", _bytes(fields[1]), depth + 1)
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
