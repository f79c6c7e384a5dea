"""A rule's `fieldPath`: which field below the rule's own place an error is about (`.spec.ports`, `['a-b']`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Raw = Mapping[str, Any]

_PART = re.compile(r"\.(?P<name>[^.\[\]]+)|\['(?P<quoted>(?:[^'\\]|\\.)*)'\]")
_ESCAPE = re.compile(r"\\(.)")
_CONTROL = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


class FieldPathError(ValueError):
    """A text that leads to no field of the schema; the message says why."""


def parse_field_path(text: str, schema: Raw) -> tuple[tuple[str, bool], ...]:
    """The names on the way, each with whether it is a key of a map. Raises FieldPathError."""
    parts = []
    for name in _names(text):
        is_key = not schema.get("properties")
        below = schema.get("additionalProperties") if is_key else schema["properties"].get(name)
        if not isinstance(below, Mapping):
            raise FieldPathError("does not refer to a valid field")
        parts.append((name, is_key))
        schema = below
    return tuple(parts)


def _names(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            raise FieldPathError(f"expected [ or . but got: {text[at:]}")
        quoted = match["quoted"]
        yield match["name"] if quoted is None else _ESCAPE.sub(_unescape, quoted)
        at = match.end()


def _unescape(match: re.Match[str]) -> str:
    if match[1] not in _CONTROL:
        raise FieldPathError(f"invalid string literal: invalid escape char {match[0]}")
    return _CONTROL[match[1]]
