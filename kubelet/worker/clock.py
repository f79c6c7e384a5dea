"""Notices when somebody sets the machine's clock, so that what waits for a time waits no longer and no shorter."""

from __future__ import annotations

import time

LEAST = 1.0
"""Seconds below which a change is the clock's own slow correction."""


class WallClock:
    """The wall clock beside the one that nobody can set."""

    def __init__(self) -> None:
        self._offset = self._now()

    def moved(self) -> float:
        """Seconds by which the clock has been set since the last time this was asked."""
        offset = self._now()
        moved = offset - self._offset
        if abs(moved) < LEAST:
            return 0.0
        self._offset = offset
        return moved

    @staticmethod
    def _now() -> float:
        return time.time() - time.monotonic()
