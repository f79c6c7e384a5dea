"""How long to wait before the next try: longer each time, never in step with everybody else, never for ever."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """`next()` gives the seconds to wait: `first`, doubling up to `most`, each spread over the upper half of itself."""

    def __init__(
        self, first: float = 0.1, most: float = 10.0, *, uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._first, self._most, self._uniform = first, most, uniform
        self.failures = 0

    def next(self) -> float:
        delay = min(self._most, self._first * 2.0 ** min(self.failures, 60))
        self.failures += 1
        return self._uniform(delay / 2, delay)

    def reset(self) -> None:
        self.failures = 0
