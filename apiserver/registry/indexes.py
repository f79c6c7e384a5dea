"""The indexes of an indexed Job as text: `1,3-5,7`, growing, each below the number of completions."""

from __future__ import annotations

import re

from api.field import quote

_NUMBER = re.compile(r"[+-]?[0-9]+\Z")


class IndexesError(ValueError):
    """A text that names no indexes; the message is the API's."""


def parse(text: str, completions: int) -> list[tuple[int, int]]:
    """The intervals, first and last index of each. Raises IndexesError."""
    found: list[tuple[int, int]] = []
    for part in text.split(",") if text else ():
        low, high = _interval(part, completions)
        if found and found[-1][1] >= low:
            raise IndexesError(f"non-increasing order, previous: {found[-1][1]}, current: {low}")
        found.append((low, high))
    return found


def count(text: str, completions: int) -> int:
    """How many there are. Raises IndexesError."""
    return sum(high - low + 1 for low, high in parse(text, completions))


def overlap(one: str, other: str, completions: int) -> int | None:
    """The first index that is in both texts. Raises IndexesError."""
    both = [
        max(low, first)
        for low, high in parse(one, completions)
        for first, last in parse(other, completions)
        if low <= last and first <= high
    ]
    return min(both, default=None)


def _interval(text: str, completions: int) -> tuple[int, int]:
    parts = text.split("-")
    if len(parts) > 2:
        why = "violates the requirement that an index interval can have at most two parts separated by '-'"
        raise IndexesError(f"the fragment {quote(text)} {why}")
    low, *rest = (_index(part, completions) for part in parts)
    high = rest[0] if rest else low
    if rest and low >= high:
        raise IndexesError(f"non-increasing order, previous: {low}, current: {high}")
    return low, high


def _index(text: str, completions: int) -> int:
    if not _NUMBER.match(text):
        raise IndexesError(f"cannot convert string to integer for index: {quote(text)}")
    if int(text) >= completions:
        raise IndexesError(f"too large index: {quote(text)}")
    return int(text)
