"""Patterns: `matches`, `find`, `findAll`. RE2's dialect, which is Go's, and its linear time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from apiserver.cel.functions import function, standard
from apiserver.cel.values import CelError


@lru_cache(256)
def pattern(text: str) -> Any:
    """The compiled pattern. Raises CelError."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise CelError(f"error parsing regexp: {why}") from error


@standard("matches", str, str)
def matches(text: str, regex: str) -> bool:
    return pattern(regex).search(text) is not None


@function("string", "string.find(string)")
def find(text: str, regex: str) -> str:
    match = pattern(regex).search(text)
    return str(match.group()) if match is not None else ""


@function("list<string>", "string.findAll(string)", "string.findAll(string, int)")
def find_all(text: str, regex: str, limit: int = -1) -> list[str]:
    found: list[str] = []
    for match in pattern(regex).finditer(text):
        if len(found) == limit:
            break
        found.append(str(match.group()))
    return found
