"""When two JSON values are the same. Python's own answer is nearly right, and fast; but to Python, true is 1."""

from __future__ import annotations

from typing import Any


def equal(one: Any, other: Any) -> bool:
    """Equal as JSON."""
    return bool(one == other) and _as_true(one, other)


def _as_true(one: Any, other: Any) -> bool:
    """Whether values that Python finds equal have their booleans in the same places."""
    if isinstance(one, dict):
        return all(_as_true(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return all(map(_as_true, one, other))
    return isinstance(one, bool) is isinstance(other, bool)
