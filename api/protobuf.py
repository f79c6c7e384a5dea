"""Protobuf bodies into the JSON objects they stand for.

Real `kubectl create …` and helm send nothing else for some kinds. A body is the magic `k8s\\0` and a `runtime.Unknown`
that names the kind and holds its message. What field numbers mean is data (`schema/data/protobuf/`); the decoder is the
plain wire format (https://protobuf.dev/programming-guides/encoding/) and the few types whose JSON form is not that of a
message. Zero values that JSON would leave out are left out.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson

from api.codec import MalformedBody, decode_json
from api.metadata import micro_time, rfc3339
from api.schema.node import DATA

MAGIC = b"k8s\x00"

_META = "k8s.io.apimachinery.pkg.apis.meta.v1"
_EXTENSIONS = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1"
_DEPTH_LIMIT = 100

Row = tuple[str, str, str]
"""JSON name, type, flags: see `schema/wire.py`."""


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


@cache
def _tables(package: str) -> dict[str, dict[str, Row]]:
    path = DATA / "protobuf" / f"{package}.json"
    return orjson.loads(path.read_bytes()) if path.is_file() else {}


@cache
def _table(message: str) -> dict[int, Row]:
    """Field number → row. Raises MalformedBody for an unknown message."""
    package, _, name = message.rpartition(".")
    rows = _tables(package).get(name)
    if rows is None:
        raise MalformedBody(f"no protobuf message {message} is known")
    return {int(number): (row[0], row[1], row[2]) for number, row in rows.items()}


def package_of(api_version: str) -> str:
    """The protobuf package of a group and version."""
    group, _, version = api_version.rpartition("/")
    if group == "apiextensions.k8s.io":
        return f"k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.{version}"
    return f"k8s.io.api.{group.partition('.')[0] or 'core'}.{version}"


def find_message(api_version: str, kind: str) -> str:
    """The full name of a kind's message. Raises MalformedBody. DeleteOptions and the like are served in every group."""
    for package in (package_of(api_version), _META):
        if kind in _tables(package):
            return f"{package}.{kind}"
    raise MalformedBody(f'no kind "{kind}" is registered for version "{api_version}"')


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
    rows, obj = _table(name), dict[str, Any]()
    for number, _, raw in _fields(data):
        row = rows.get(number)
        if row is None:
            continue
        field, type_name, flags = row
        if type_name.startswith("map:"):
            obj.setdefault(field, {}).update([_entry(type_name[4:], _bytes(raw), depth)])
            continue
        value = _value(type_name, raw, depth)
        if "r" in flags:
            obj.setdefault(field, []).append(value)
        elif "i" in flags:
            obj.update(value)
        elif value is not None and ("k" in flags or value not in ("", 0)):
            obj[field] = value
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


def _duration(data: bytes, depth: int) -> str:
    nanos = _int(_numbered(data).get(1, 0))
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    minutes, rest = divmod(nanos, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 1e9:.9f}".rstrip("0").rstrip(".")
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}s"
    return f"{sign}{minutes}m{seconds}s" if minutes else f"{sign}{seconds}s"


def _strings(data: bytes, depth: int) -> list[str]:
    return [_text(_bytes(value)) for number, _, value in _fields(data) if number == 1]


def _schema_or_array(data: bytes, depth: int) -> Any:
    """A JSON schema, or a list of them."""
    props = f"{_EXTENSIONS}.JSONSchemaProps"
    found = [(number, _message(props, _bytes(value), depth + 1)) for number, _, value in _fields(data)]
    single = next((schema for number, schema in found if number == 1), None)
    return single if single is not None else [schema for _, schema in found]


def _schema_or_bool(data: bytes, depth: int) -> Any:
    fields = _numbered(data)
    if 2 in fields:
        return _message(f"{_EXTENSIONS}.JSONSchemaProps", _bytes(fields[2]), depth + 1)
    return bool(_int(fields.get(1, 0)))


def _schema_or_strings(data: bytes, depth: int) -> Any:
    fields = _numbered(data)
    if 1 in fields:
        return _message(f"{_EXTENSIONS}.JSONSchemaProps", _bytes(fields[1]), depth + 1)
    return [_text(_bytes(value)) for number, _, value in _fields(data) if number == 2]


_SPECIAL: dict[str, Callable[[bytes, int], Any]] = {
    f"{_META}.Time": _time,
    f"{_META}.MicroTime": _micro,
    f"{_META}.Duration": _duration,
    f"{_META}.FieldsV1": _raw_json,
    f"{_META}.Verbs": _strings,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": _raw_json,
    "k8s.io.api.authentication.v1.ExtraValue": _strings,
    "k8s.io.api.authorization.v1.ExtraValue": _strings,
    "k8s.io.api.certificates.v1.ExtraValue": _strings,
    f"{_EXTENSIONS}.JSON": _raw_json,
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": _schema_or_array,
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": _schema_or_bool,
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": _schema_or_strings,
}
