"""JSON objects into protobuf, for clients that ask for it first: nearly every program written in Go does.

A message is written by a function that is made of its table when it is first needed. Fields go out by number and maps
by key, as Go's encoder writes them, so that equal objects have equal bytes; what JSON leaves out is left out, which
every decoder reads as the zero value.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import orjson

from api.metadata import parse_time
from api.protobuf.tables import EXTENSIONS, MAGIC, META, Row, find_message, rows_of

Object = dict[str, Any]
Content = Callable[[Any], bytes]
"""Writes a value without its tag and length."""
Write = Callable[[Any], bytes]
"""Writes a whole field."""

_SHAPES = 512
"""Sets of keys for which a message keeps its plan; more than objects of one kind come in."""
_ALIKE = frozenset(f"k8s.io.api.core.v1.{name}" for name in ("Container", "ContainerImage", "Toleration", "Volume"))
"""Types of list elements that come again and again, the same."""
_ALIKE_COUNT, _ALIKE_SIZE = 256, 8192
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def varint(number: int) -> bytes:
    """A number in base 128, the lowest seven bits first; negative numbers as 64 bits."""
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SMALL = tuple(varint(number) for number in range(1 << 14))


def _length(size: int) -> bytes:
    return _SMALL[size] if size < 16384 else varint(size)


def chunk(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return b"%b%b%b" % (_SMALL[number << 3 | 2], _length(len(content)), content)


def _integer(number: int, value: int) -> bytes:
    return _SMALL[number << 3] + varint(value)


def encode(obj: Object) -> bytes:
    """A whole body. Raises MalformedBody if its kind has no message."""
    api_version, kind = obj["apiVersion"], obj["kind"]
    return envelope(api_version, kind, box(encode_message(find_message(api_version, kind), obj)))


def encode_message(message: str, obj: Object) -> bytes:
    """An object as a bare message. Raises MalformedBody if nobody knows the message."""
    return _message(message)(obj)


def box(message: bytes) -> bytes:
    """A message as field 2, which is where it stands both in a body of its own and among the items of a list."""
    return chunk(2, message)


def envelope(api_version: str, kind: str, boxed: bytes) -> bytes:
    """A boxed message as a body: behind the magic, and with the names of its type."""
    return _head(api_version, kind) + boxed + _NO_CONTENT_TYPE


_NO_CONTENT_TYPE = chunk(3, b"") + chunk(4, b"")


@lru_cache(maxsize=1024)
def _head(api_version: str, kind: str) -> bytes:
    return MAGIC + chunk(1, chunk(1, api_version.encode()) + chunk(2, kind.encode()))


def join_list(api_version: str, kind: str, metadata: Object, items: list[bytes]) -> list[bytes]:
    """A list's body, in parts to be joined: a few bytes, the boxed items as they are, a few bytes."""
    meta = chunk(1, encode_message(f"{META}.ListMeta", metadata))
    size = len(meta) + sum(map(len, items))
    return [_head(api_version, kind) + _SMALL[2 << 3 | 2] + _length(size) + meta, *items, _NO_CONTENT_TYPE]


def watch_frame(type_: str, body: bytes) -> bytes:
    """One event of a watch: four bytes of length, then a WatchEvent around a whole body."""
    event = chunk(1, type_.encode()) + chunk(2, chunk(1, body))
    return struct.pack(">I", len(event)) + event


@cache
def _message(name: str) -> Content:
    """The function that writes a message. It looks at the message's fields with the first object: messages may nest."""
    rows_of(name)
    plans: dict[tuple[str, ...], list[tuple[str, Write]]] = {}
    fields: list[tuple[str, Write]] = []

    def plan_for(shape: tuple[str, ...]) -> list[tuple[str, Write]]:
        """The fields that an object of these keys has. One without a key is a message inlined into this one."""
        if not fields:
            for number, row in sorted(rows_of(name).items()):
                fields.append(("" if row.inlined else row.name, _field(number, row)))
        if len(plans) >= _SHAPES:
            plans.clear()
        plan = plans[shape] = [field for field in fields if not field[0] or field[0] in shape]
        return plan

    def write(obj: Object) -> bytes:
        shape = tuple(obj)
        plan = plans.get(shape)
        if plan is None:
            plan = plan_for(shape)
        return b"".join([part(value) for key, part in plan if (value := obj[key] if key else obj) is not None])

    return write


@cache
def _heads(number: int) -> list[bytes]:
    """A field's tag with each short length."""
    return [_SMALL[number << 3 | 2] + _SMALL[size] for size in range(128)]


def _field(number: int, row: Row) -> Write:
    if row.values:
        return _map(number, row.values)
    one = _single(number, row.type)
    if not row.repeated:
        return one
    if row.type in _ALIKE:
        one = _remembered(one)
    empty = one(_EMPTY.get(row.type, {}))

    def repeated(values: list[Any]) -> bytes:
        return b"".join([empty if value is None else one(value) for value in values])

    return repeated


def _remembered(write: Write) -> Write:
    """Writes a value as it did when it last met one like it: pods of one template have the same containers."""
    known: dict[bytes, bytes] = {}

    def again(value: Any) -> bytes:
        key = orjson.dumps(value)
        found = known.get(key)
        if found is None:
            found = write(value)
            if len(key) <= _ALIKE_SIZE:
                if len(known) >= _ALIKE_COUNT:
                    known.clear()
                known[key] = found
        return found

    return again


def _single(number: int, type_name: str) -> Write:
    if type_name in ("int32", "int64"):
        tag = varint(number << 3)
        return lambda value: tag + (_SMALL[value] if 0 <= value < 16384 else varint(int(value)))
    if type_name == "bool":
        yes, no = _integer(number, 1), _integer(number, 0)
        return lambda value: yes if value else no
    if type_name == "double":
        tag = varint(number << 3 | 1)
        return lambda value: tag + struct.pack("<d", value)
    heads = _heads(number)
    if type_name == "string":

        def write_text(value: str) -> bytes:
            data = value.encode()
            return heads[len(data)] + data if len(data) < 128 else chunk(number, data)

        return write_text
    content = _CONTENT.get(type_name) or _message(type_name)

    def write(value: Any) -> bytes:
        data = content(value)
        return heads[len(data)] + data if len(data) < 128 else chunk(number, data)

    return write


def _map(number: int, values: str) -> Write:
    key_of, value_of = _single(1, "string"), _single(2, values)

    def write(entries: dict[str, Any]) -> bytes:
        return b"".join(
            [
                chunk(number, key_of(key) + (b"" if value is None else value_of(value)))
                for key, value in sorted(entries.items())
            ]
        )

    return write


def _time(text: str) -> bytes:
    """Whole seconds: JSON has no more of a Time."""
    return _seconds(text[:19] + "Z") if text.endswith("Z") else _seconds.__wrapped__(text)


@lru_cache(maxsize=4096)
def _seconds(text: str) -> bytes:
    return _integer(1, _micros(text) // 1_000_000) + _integer(2, 0)


def _micro_time(text: str) -> bytes:
    seconds, micros = divmod(_micros(text), 1_000_000)
    return _integer(1, seconds) + _integer(2, micros * 1000)


def _micros(text: str) -> int:
    """Microseconds since the epoch."""
    since = parse_time(text) - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _int_or_string(value: int | str) -> bytes:
    if isinstance(value, str):
        return _integer(1, 1) + _integer(2, 0) + chunk(3, value.encode())
    return _integer(1, 0) + _integer(2, value) + chunk(3, b"")


def _raw_json(value: Any) -> bytes:
    return chunk(1, orjson.dumps(value))


def _strings(values: list[str]) -> bytes:
    return b"".join([chunk(1, value.encode()) for value in values])


def _props(schema: Object) -> bytes:
    return encode_message(f"{EXTENSIONS}.JSONSchemaProps", schema)


def _schema_or_array(value: Object | list[Object]) -> bytes:
    if isinstance(value, dict):
        return chunk(1, _props(value))
    return b"".join([chunk(2, _props(each)) for each in value])


def _schema_or_bool(value: Object | bool) -> bytes:
    if isinstance(value, dict):
        return _integer(1, 1) + chunk(2, _props(value))
    return _integer(1, value)


def _schema_or_strings(value: Object | list[str]) -> bytes:
    if isinstance(value, dict):
        return chunk(1, _props(value))
    return b"".join([chunk(2, each.encode()) for each in value])


_CONTENT: dict[str, Content] = {
    "string": str.encode,
    "bytes": b64decode,
    f"{META}.Time": _time,
    f"{META}.MicroTime": _micro_time,
    f"{META}.FieldsV1": _raw_json,
    f"{META}.Verbs": _strings,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": lambda value: chunk(1, str(value).encode()),
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
_EMPTY: dict[str, Any] = {
    "string": "",
    "bytes": b"",
    "int32": 0,
    "int64": 0,
    "bool": False,
    "double": 0.0,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": "0",
    f"{EXTENSIONS}.JSON": None,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": None,
}
"""What a null in a list stands for; a message without fields where nothing else is said."""
