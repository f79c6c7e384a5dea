"""`/openapi/v2` as protobuf: the only form in which kubectl reads it, to check a `kind: List` before it applies it.

The messages are those of the OpenAPI v2 document in protobuf (package `openapi.v2`, known from gnostic); just the
fields that our documents have are listed here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from api.protobuf.writer import chunk, varint

Json = dict[str, Any]
Write = Callable[[int, Any], bytes]
"""Writes a field of this number."""
Fields = Mapping[str, tuple[int, Write]]

ASKED_AS = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""What the answer calls itself: clients ask with an `@`, which no media type may have."""


def encode(document: Json) -> bytes:
    """The whole document (see `openapi.Api.v2`)."""
    return _DOCUMENT(document)


def _text(number: int, value: str) -> bytes:
    return chunk(number, value.encode())


def _number(number: int, value: int) -> bytes:
    """An integer or a boolean."""
    return varint(number << 3) + varint(int(value))


def _double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def _any(number: int, value: Any) -> bytes:
    """A value of no fixed type goes as YAML, of which JSON is a part."""
    return chunk(number, chunk(2, orjson.dumps(value)))


def _each(write: Write) -> Write:
    """A repeated field; a single value is one of one."""

    def repeated(number: int, values: Any) -> bytes:
        return b"".join(write(number, value) for value in (values if isinstance(values, list) else [values]))

    return repeated


def _strings(number: int, value: str | list[str]) -> bytes:
    """A message that has nothing but strings."""
    return chunk(number, _each(_text)(1, value))


def _within(inner: int, write: Write) -> Write:
    """A message that has nothing but one field of this number."""
    return lambda number, value: chunk(number, write(inner, value))


def _named(write: Write, entries: int = 1) -> Write:
    """A message of a map: repeated pairs of name and value."""

    def named(number: int, values: Json) -> bytes:
        pairs = (chunk(entries, _text(1, name) + write(2, value)) for name, value in values.items())
        return chunk(number, b"".join(pairs))

    return named


def _message(fields: Fields, extensions: int, value: Json) -> bytes:
    """A message's content; `x-…` keys go to the field numbered `extensions`. What the messages lack is left out."""
    out = bytearray()
    for key, content in value.items():
        if key.startswith("x-"):
            out += chunk(extensions, _text(1, key) + _any(2, content))
        elif key in fields:
            number, write = fields[key]
            out += write(number, content)
    return bytes(out)


def _schema(number: int, value: Json) -> bytes:
    return chunk(number, _message(_SCHEMA, 31, value))


def _schema_or_flag(number: int, value: Json | bool) -> bytes:
    return chunk(number, _number(2, value) if isinstance(value, bool) else _schema(1, value))


def _parameter(number: int, value: Json) -> bytes:
    """ParametersItem → Parameter → one of its kinds, by where the parameter stands."""
    if value["in"] == "body":
        return chunk(number, chunk(1, chunk(1, _message(_BODY, 6, value))))
    place, fields, extensions = _PLACES[value["in"]]
    return chunk(number, chunk(1, chunk(2, chunk(place, _message(fields, extensions, value)))))


def _response(number: int, value: Json) -> bytes:
    """ResponseValue → Response."""
    return chunk(number, chunk(1, _message(_RESPONSE, 5, value)))


_SCHEMA: Fields = {
    "$ref": (1, _text),
    "format": (2, _text),
    "title": (3, _text),
    "description": (4, _text),
    "default": (5, _any),
    "multipleOf": (6, _double),
    "maximum": (7, _double),
    "exclusiveMaximum": (8, _number),
    "minimum": (9, _double),
    "exclusiveMinimum": (10, _number),
    "maxLength": (11, _number),
    "minLength": (12, _number),
    "pattern": (13, _text),
    "maxItems": (14, _number),
    "minItems": (15, _number),
    "uniqueItems": (16, _number),
    "maxProperties": (17, _number),
    "minProperties": (18, _number),
    "required": (19, _each(_text)),
    "enum": (20, _each(_any)),
    "additionalProperties": (21, _schema_or_flag),
    "type": (22, _strings),
    "items": (23, _within(1, _schema)),
    "allOf": (24, _each(_schema)),
    "properties": (25, _named(_schema)),
    "example": (30, _any),
}
_BODY: Fields = {
    "description": (1, _text),
    "name": (2, _text),
    "in": (3, _text),
    "required": (4, _number),
    "schema": (5, _schema),
}
_COMMON: Fields = {"required": (1, _number), "in": (2, _text), "description": (3, _text), "name": (4, _text)}
_PLACES: Mapping[str, tuple[int, Fields, int]] = {
    "query": (3, {**_COMMON, "type": (6, _text), "uniqueItems": (20, _number)}, 23),
    "path": (4, {**_COMMON, "type": (5, _text), "uniqueItems": (19, _number)}, 22),
}
_RESPONSE: Fields = {"description": (1, _text), "schema": (2, _within(1, _schema))}
_OPERATION: Fields = {
    "tags": (1, _each(_text)),
    "description": (3, _text),
    "operationId": (5, _text),
    "produces": (6, _each(_text)),
    "consumes": (7, _each(_text)),
    "parameters": (8, _each(_parameter)),
    "responses": (9, _named(_response)),
}
_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}


def _operation(number: int, value: Json) -> bytes:
    return chunk(number, _message(_OPERATION, 13, value))


_PATH_ITEM: Fields = {
    **{method: (number, _operation) for method, number in _METHODS.items()},
    "parameters": (9, _each(_parameter)),
}


def _path_item(number: int, value: Json) -> bytes:
    return chunk(number, _message(_PATH_ITEM, 10, value))


def _info(number: int, value: Json) -> bytes:
    return chunk(number, _message({"title": (1, _text), "version": (2, _text), "description": (3, _text)}, 7, value))


_DOCUMENT = partial(
    _message,
    {
        "swagger": (1, _text),
        "info": (2, _info),
        "paths": (8, _named(_path_item, 2)),
        "definitions": (9, _named(_schema)),
    },
    16,
)
