"""Text."""

from __future__ import annotations

from apiserver.cel.functions import function
from apiserver.cel.values import Budget, CelError

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_ASCII_UPPER = {lower: upper for upper, lower in _ASCII_LOWER.items()}
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


@function("string", "string.charAt(int)")
def char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise CelError(f"index out of range: {at}")
    return text[at : at + 1]


@function("int", "string.indexOf(string)", "string.indexOf(string, int)")
def index_of(text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    return text.find(part, start)


@function("int", "string.lastIndexOf(string)", "string.lastIndexOf(string, int)")
def last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


@function("string", "list<string>.join()", "list<string>.join(string)", spends=True)
def join(budget: Budget, parts: list[str], separator: str = "") -> str:
    if not all(type(part) is str for part in parts):
        raise CelError("no such overload: join takes a list of strings")
    budget.spend(len(parts) + (sum(map(len, parts)) + len(separator) * len(parts)) // 10)
    return separator.join(parts)


@function("string", "string.lowerAscii()")
def lower(text: str) -> str:
    return text.translate(_ASCII_LOWER)


@function("string", "string.upperAscii()")
def upper(text: str) -> str:
    return text.translate(_ASCII_UPPER)


@function("string", "string.replace(string, string)", "string.replace(string, string, int)", spends=True)
def replace(budget: Budget, text: str, old: str, new: str, limit: int = -1) -> str:
    times = text.count(old) if limit < 0 else min(limit, text.count(old))
    budget.spend((len(text) + times * len(new)) // 10)
    return text.replace(old, new, limit if limit >= 0 else -1)


@function("list<string>", "string.split(string)", "string.split(string, int)")
def split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    if limit < 0 or limit >= len(text):
        return list(text)
    return [*text[: limit - 1], text[limit - 1 :]]


@function("string", "string.substring(int)", "string.substring(int, int)")
def substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    for at in (start, stop):
        if not 0 <= at <= len(text):
            raise CelError(f"index out of range: {at}")
    if start > stop:
        raise CelError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


@function("string", "string.trim()")
def trim(text: str) -> str:
    return text.strip(_SPACES)


@function("string", "string.reverse()")
def reverse(text: str) -> str:
    return text[::-1]


@function("string", "strings.quote(string)")
def quote(text: str) -> str:
    escapes = {
        "\a": r"\a",
        "\b": r"\b",
        "\f": r"\f",
        "\n": r"\n",
        "\r": r"\r",
        "\t": r"\t",
        "\v": r"\v",
        "\\": r"\\",
        '"': r"\"",
    }
    return '"' + "".join(escapes.get(each, each) for each in text) + '"'


@function("string", "jsonpatch.escapeKey(string)")
def escape_key(text: str) -> str:
    """A name as a JSON pointer writes it."""
    return text.replace("~", "~0").replace("/", "~1")
