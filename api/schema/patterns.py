"""Regular expressions as the API takes them: those of Go, which are RE2's, so that a pattern costs linear time whatever
its author wrote and whatever a client sends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True  # who only asks whether a pattern is found pays a tenth


class PatternError(ValueError):
    """Not a regular expression; the message says why."""


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """What tells whether the pattern is found somewhere in a text. Raises PatternError."""
    try:
        search = re2.compile(pattern.encode(), _OPTIONS).search
    except re2.error as problem:
        why = problem.args[0]
        said = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        raise PatternError(f"error parsing regexp: {said}") from None
    return lambda text: search(text.encode(errors="replace")) is not None
