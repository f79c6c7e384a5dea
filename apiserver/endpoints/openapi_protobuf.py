"""`/openapi/v2` as protobuf: the only form in which kubectl reads it, to check a `kind: List` before it applies it.

The messages are those of the OpenAPI v2 document in protobuf (package `openapi.v2`, known from gnostic); just the
fields that our documents have are listed here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

Json = dict[str, Any]
Encode = Callable[[Any], bytes]
"""Turns a value into the content of a length-delimited field."""

ASKED_AS = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""What the answer calls itself: clients ask with an `@`, which no media type may have."""


def encode(document: Json) -> bytes:
    """The whole document (see `openapi.v2`)."""
    return _DOCUMENT(document)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _flag(number: int, value: bool) -> bytes:
    return _varint(number << 3) + _varint(int(value))


def _text(value: str) -> bytes:
    return value.encode()


def _any(value: Any) -> bytes:
    """A value of no fixed type goes as YAML, of which JSON is a part."""
    return _field(2, orjson.dumps(value))


def _named(encode_value: Encode, number: int, values: Json) -> bytes:
    """A map: repeated pairs of name and value."""
    return b"".join(
        _field(number, _field(1, name.encode()) + _field(2, encode_value(value))) for name, value in values.items()
    )


def _strings(value: str | list[str]) -> bytes:
    return b"".join(_field(1, each.encode()) for each in ([value] if isinstance(value, str) else value))


def _message(fields: dict[str, tuple[int, Encode]], extensions: int, value: Json) -> bytes:
    """A message from its table of fields; `x-…` keys go to the field numbered `extensions`."""
    out = bytearray()
    for key, content in value.items():
        if key.startswith("x-"):
            out += _named(_any, extensions, {key: content})
        elif isinstance(content, bool):
            out += _flag(fields[key][0], content)
        else:
            number, encode_value = fields[key]
            for each in content if isinstance(content, list) and encode_value is not _strings else [content]:
                out += _field(number, encode_value(each))
    return bytes(out)


def _schema(value: Json) -> bytes:
    return _message(_SCHEMA_FIELDS, 31, value)


def _parameter(value: Json) -> bytes:
    """ParametersItem → Parameter → one of its kinds, by where the parameter stands."""
    if value["in"] == "body":
        return _field(1, _field(1, _message(_BODY_FIELDS, 6, value)))
    number, fields, extensions = _PLACES[value["in"]]
    return _field(1, _field(2, _field(number, _message(fields, extensions, value))))


def _response(value: Json) -> bytes:
    """ResponseValue → Response."""
    return _field(1, _message(_RESPONSE_FIELDS, 5, value))


_SCHEMA_FIELDS: dict[str, tuple[int, Encode]] = {
    "$ref": (1, _text),
    "format": (2, _text),
    "description": (4, _text),
    "default": (5, _any),
    "required": (19, _text),
    "additionalProperties": (21, lambda value: _field(1, _schema(value))),
    "type": (22, _strings),
    "items": (23, lambda value: _field(1, _schema(value))),
    "properties": (25, lambda value: _named(_schema, 1, value)),
}
_BODY_FIELDS: dict[str, tuple[int, Encode]] = {
    "description": (1, _text),
    "name": (2, _text),
    "in": (3, _text),
    "required": (4, _text),
    "schema": (5, _schema),
}
_COMMON: dict[str, tuple[int, Encode]] = {"required": (1, _text), "in": (2, _text), "description": (3, _text)}
_PLACES: dict[str, tuple[int, dict[str, tuple[int, Encode]], int]] = {
    "query": (3, {**_COMMON, "name": (4, _text), "type": (6, _text), "uniqueItems": (20, _text)}, 23),
    "path": (4, {**_COMMON, "name": (4, _text), "type": (5, _text), "uniqueItems": (19, _text)}, 22),
}
_RESPONSE_FIELDS: dict[str, tuple[int, Encode]] = {
    "description": (1, _text),
    "schema": (2, lambda value: _field(1, _schema(value))),
}
_OPERATION = partial(
    _message,
    {
        "tags": (1, _text),
        "description": (3, _text),
        "produces": (6, _text),
        "consumes": (7, _text),
        "parameters": (8, _parameter),
        "responses": (9, lambda value: _named(_response, 1, value)),
    },
    13,
)
_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}
_PATH_ITEM = partial(
    _message,
    {**{method: (number, _OPERATION) for method, number in _METHODS.items()}, "parameters": (9, _parameter)},
    10,
)
_INFO = partial(_message, {"title": (1, _text), "version": (2, _text), "description": (3, _text)}, 7)
_DOCUMENT = partial(
    _message,
    {
        "swagger": (1, _text),
        "info": (2, _INFO),
        "paths": (8, lambda value: _named(_PATH_ITEM, 2, value)),
        "definitions": (9, lambda value: _named(_schema, 1, value)),
    },
    16,
)
