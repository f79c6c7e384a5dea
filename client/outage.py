"""Waiting for a server that is away: whoever is answered first wakes all others who wait for it.

A daemon has a dozen watches and a lease to look after, each with a back-off of its own. Without this, each would learn
by itself, up to its whole back-off late, that the server is back.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

SPREAD = 0.05
"""Seconds over which those who are woken ask again."""


class Outage:
    """Whether one server answers, as those who ask it tell."""

    def __init__(self) -> None:
        self._back: asyncio.Event | None = None

    def begin(self) -> None:
        """It did not answer."""
        if self._back is None:
            self._back = asyncio.Event()

    def end(self) -> None:
        """It has answered."""
        if self._back is not None:
            self._back.set()
            self._back = None

    async def pause(self, seconds: float) -> None:
        """Wait `seconds`, or less if the server is away now and answers somebody sooner."""
        if self._back is None:
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._back.wait(), seconds)
            await asyncio.sleep(random.uniform(0, min(SPREAD, seconds)))
