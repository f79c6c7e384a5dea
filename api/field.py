"""Where in an object something is wrong, and what: field paths and field errors in the API's exact words.

Clients match on these texts (and people search the web for them), so the wording is part of the wire format: see
`metav1.StatusCause` for where each ends up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class Path:
    """A place in an object: `Path("spec") / "containers" / 0 / "name"` reads `spec.containers[0].name`."""

    text: str = ""

    def __truediv__(self, part: str | int) -> Path:
        if isinstance(part, int):
            return Path(f"{self.text}[{part}]")
        return Path(f"{self.text}.{part}" if self.text else part)

    def key(self, key: str) -> Path:
        """An entry of a map, or of a list that is keyed: `metadata.labels[app]`."""
        return Path(f"{self.text}[{key}]")

    def __str__(self) -> str:
        return self.text or "<nil>"


class ErrorType(Enum):
    """The machine-readable reason of a cause, with the words it starts its message with."""

    NOT_FOUND = ("FieldValueNotFound", "Not found")
    REQUIRED = ("FieldValueRequired", "Required value")
    DUPLICATE = ("FieldValueDuplicate", "Duplicate value")
    INVALID = ("FieldValueInvalid", "Invalid value")
    NOT_SUPPORTED = ("FieldValueNotSupported", "Unsupported value")
    FORBIDDEN = ("FieldValueForbidden", "Forbidden")
    TOO_LONG = ("FieldValueTooLong", "Too long")
    TOO_MANY = ("FieldValueTooMany", "Too many")
    INTERNAL = ("InternalError", "Internal error")
    TYPE_INVALID = ("FieldValueTypeInvalid", "Invalid value")

    @property
    def reason(self) -> str:
        return self.value[0]

    @property
    def words(self) -> str:
        return self.value[1]


OMITTED: Any = object()
"""Stands for a value that is left out of its own message."""

_WITHOUT_VALUE = frozenset({ErrorType.REQUIRED, ErrorType.FORBIDDEN, ErrorType.TOO_LONG, ErrorType.INTERNAL})


_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def quote(value: str) -> str:
    """A string as Go's %q writes it."""
    if value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return '"' + "".join(_ESCAPES.get(char) or _escape(char) for char in value) + '"'


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _show(value: Any) -> str:
    if value is None:
        return '"null"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, default=str)
    return str(value)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field. `message` is what a person reads, `cause()` what goes into `details.causes`."""

    type: ErrorType
    field: str
    value: Any = None
    detail: str = ""

    @property
    def body(self) -> str:
        """The message without the field's name."""
        words = self.type.words
        if self.type not in _WITHOUT_VALUE and self.value is not OMITTED:
            words = f"{words}: {_show(self.value)}"
        return f"{words}: {self.detail}" if self.detail else words

    @property
    def message(self) -> str:
        return f"{self.field}: {self.body}"

    def cause(self) -> dict[str, str]:
        return {"reason": self.type.reason, "message": self.body, "field": self.field}

    def __str__(self) -> str:
        return self.message


Where = Path | str


def required(field: Where, detail: str = "") -> FieldError:
    return FieldError(ErrorType.REQUIRED, str(field), "", detail)


def invalid(field: Where, value: Any, detail: str) -> FieldError:
    return FieldError(ErrorType.INVALID, str(field), value, detail)


def not_supported(field: Where, value: Any, supported: Iterable[str]) -> FieldError:
    """`supported` keeps its order; a set is sorted."""
    values = sorted(supported) if isinstance(supported, (set, frozenset)) else list(supported)
    detail = "supported values: " + ", ".join(quote(v) for v in values) if values else ""
    return FieldError(ErrorType.NOT_SUPPORTED, str(field), value, detail)


def forbidden(field: Where, detail: str) -> FieldError:
    return FieldError(ErrorType.FORBIDDEN, str(field), "", detail)


def duplicate(field: Where, value: Any) -> FieldError:
    return FieldError(ErrorType.DUPLICATE, str(field), value)


def too_long(field: Where, value: Any, limit: int) -> FieldError:
    """`limit` is in bytes; the value itself is never shown."""
    return FieldError(ErrorType.TOO_LONG, str(field), value, f"may not be more than {limit} bytes")


def too_many(field: Where, actual: int, limit: int) -> FieldError:
    noun = "item" if limit == 1 else "items"
    return FieldError(ErrorType.TOO_MANY, str(field), actual, f"must have at most {limit} {noun}")


def not_found(field: Where, value: Any) -> FieldError:
    return FieldError(ErrorType.NOT_FOUND, str(field), value)


def type_invalid(field: Where, value: Any, detail: str) -> FieldError:
    return FieldError(ErrorType.TYPE_INVALID, str(field), value, detail)


def aggregate(errors: Iterable[FieldError]) -> str:
    """All messages as one text: bare when there is one, in brackets when there are more, each said once."""
    return aggregate_texts(error.message for error in errors)


def aggregate_texts(texts: Iterable[str]) -> str:
    messages = list(dict.fromkeys(texts))
    if len(messages) == 1:
        return messages[0]
    return f"[{', '.join(messages)}]" if messages else ""
