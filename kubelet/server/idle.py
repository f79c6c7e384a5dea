"""How long a stream may carry nothing (`streamingConnectionIdleTimeout`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Idle:
    """Whoever carries something says so by `touch`; `left` are the seconds until nobody has for too long."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._last = clock()

    def touch(self) -> None:
        self._last = self._clock()

    @property
    def left(self) -> float:
        return self._last + self._seconds - self._clock()


async def first_of(*tasks: asyncio.Task[None], idle: Idle) -> None:
    """Wait for the first task to end, or for a stream that carries nothing; then end them all, and wait for that."""
    try:
        while (left := idle.left) > 0:
            done, _ = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
