"""`'%s has %d'.format([a, b])`, and base64."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from typing import Any

from apiserver.cel.conversions import show_double
from apiserver.cel.functions import function
from apiserver.cel.values import NUMBERS, Budget, CelError, Duration, Timestamp, TypeValue, Uint, type_name

_VERB = re.compile(r"%(%|(?:\.(\d+))?([a-zA-Z]))")
_MOST_DIGITS = 1000


@function("string", "string.format(list<dyn>)", spends=True)
def text_format(budget: Budget, text: str, args: list[Any]) -> str:
    budget.spend(len(text) // 10 + len(args))
    position = -1

    def put(match: re.Match[str]) -> str:
        nonlocal position
        if match[1] == "%":
            return "%"
        position += 1
        if position >= len(args):
            raise CelError(f"index {position} out of range")
        shown = _shown(match[3], int(match[2]) if match[2] else None, args[position])
        budget.spend(len(shown) // 10)
        return shown

    if re.search(r"%(?![.\d]*[a-zA-Z]|%)", _VERB.sub("", text)):
        raise CelError("could not parse formatting clause: unexpected end of string")
    return _VERB.sub(put, text)


def _shown(verb: str, digits: int | None, value: Any) -> str:
    if digits is not None and digits > _MOST_DIGITS:
        raise CelError(f"precision {digits} is more than {_MOST_DIGITS}")
    show = _VERBS.get(verb)
    if show is None:
        raise CelError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')
    return show(value, digits)


def plain(value: Any) -> str:
    """A value as `%s` writes it. Raises CelError."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return show_double(value).replace("+Inf", "Infinity").replace("-Inf", "-Infinity")
        case bytes():
            return value.decode(errors="replace")
        case list():
            return f"[{', '.join(map(plain, value))}]"
        case dict():
            return f"{{{', '.join(sorted(f'{plain(key)}: {plain(each)}' for key, each in value.items()))}}}"
        case TypeValue():
            return value.name
        case str() | int() | Timestamp() | Duration():
            return str(value)
        case _:
            raise CelError(f"no such overload: {type_name(value)} cannot be formatted as a string")


def _wrong(verb: str, value: Any) -> CelError:
    return CelError(f"error during formatting: %{verb} cannot show a value of type {type_name(value)}")


def _decimal(value: Any, digits: int | None) -> str:
    if type(value) is float and not math.isfinite(value):
        return plain(value)
    if type(value) not in (int, Uint):
        raise _wrong("d", value)
    return str(int(value))


def _float(verb: str) -> Callable[[Any, int | None], str]:
    def show(value: Any, digits: int | None) -> str:
        if type(value) not in NUMBERS:
            raise _wrong(verb, value)
        if not math.isfinite(value):
            return plain(float(value))
        return f"{float(value):.{6 if digits is None else digits}{verb}}"

    return show


def _binary(value: Any, digits: int | None) -> str:
    if type(value) not in (int, Uint, bool):
        raise _wrong("b", value)
    return f"{int(value):b}"


def _octal(value: Any, digits: int | None) -> str:
    if type(value) not in (int, Uint):
        raise _wrong("o", value)
    return f"{int(value):o}"


def _hex(value: Any, digits: int | None) -> str:
    if isinstance(value, str):
        return value.encode().hex()
    if isinstance(value, bytes):
        return value.hex()
    if type(value) not in (int, Uint):
        raise _wrong("x", value)
    return f"{int(value):x}"


_VERBS: dict[str, Callable[[Any, int | None], str]] = {
    "s": lambda value, digits: plain(value),
    "d": _decimal,
    "f": _float("f"),
    "e": _float("e"),
    "b": _binary,
    "o": _octal,
    "x": _hex,
    "X": lambda value, digits: _hex(value, digits).upper(),
}


@function("string", "base64.encode(bytes)")
def encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@function("bytes", "base64.decode(string)")
def decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise CelError(f"illegal base64 data: {error}") from error
