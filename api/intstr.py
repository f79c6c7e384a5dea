"""Numbers that may be percentages: `maxSurge: 25%`, `maxUnavailable: 1`."""

from __future__ import annotations

import re

IntOrString = int | str

_PERCENT = re.compile(r"[0-9]+%\Z")


def is_percent(value: IntOrString | None) -> bool:
    return isinstance(value, str) and _PERCENT.match(value) is not None


def percent(value: IntOrString) -> int | None:
    """The number before the `%`, or None if this is not a percentage."""
    return int(value[:-1]) if isinstance(value, str) and is_percent(value) else None


def amount(value: IntOrString | None) -> int:
    """The number itself: of pods, or of percent. What is neither is 0."""
    return value if isinstance(value, int) else percent(value or 0) or 0


def resolve(value: IntOrString | None, total: int, round_up: bool) -> int:
    """The number meant, of `total`. None is 0. Raises ValueError for a string that is no percentage."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    share = percent(value)
    if share is None:
        raise ValueError(f"invalid value for IntOrString: invalid type: string is not a percentage: {value!r}")
    return -(-share * total // 100) if round_up else share * total // 100
