"""Which of an API group's versions come first: v2 before v1, stable before beta before alpha, others by their names."""

from __future__ import annotations

import re
from typing import Any

_VERSION = re.compile(r"v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?\Z")
_STABILITY = {"alpha": 0, "beta": 1, None: 2}


def rank(version: str) -> tuple[Any, ...]:
    """The greater, the better."""
    match = _VERSION.match(version)
    if match is None:
        return (0, (*(-ord(char) for char in version), 1))
    return (1, _STABILITY[match[2]], int(match[1]), int(match[3] or 0))
