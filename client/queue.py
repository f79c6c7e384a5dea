"""Keys that wait for a worker: each at most once, each with one worker at a time, failures later and later.

A key that is added while a worker has it comes back when the worker is done: what the worker saw may be old.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable


class ShutDown(Exception):
    """The queue ends: `get` has nothing more to give."""


class WorkQueue:
    def __init__(
        self,
        *,
        first_delay: float = 0.005,
        most_delay: float = 60.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first, self._most, self._uniform = first_delay, most_delay, uniform
        self._waiting: deque[str] = deque()
        self._dirty: set[str] = set()
        self._processing: set[str] = set()
        self._failures: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def __len__(self) -> int:
        """Keys ready for a worker; neither those in work nor those that wait for their time."""
        return len(self._waiting)

    def add(self, key: str) -> None:
        if self._closed or key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._waiting.append(key)
            self._wake()

    def add_after(self, key: str, seconds: float) -> None:
        """Add the key in `seconds`; of several times asked for, the earliest counts."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        pending = self._timers.get(key)
        if pending is not None:
            if pending.when() <= loop.time() + seconds:
                return
            pending.cancel()
        self._timers[key] = loop.call_later(seconds, self._due, key)

    def add_rate_limited(self, key: str) -> None:
        """Add the key later, and twice as late each time until `forget`."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(self._most, self._first * 2.0 ** min(failures, 60))
        self.add_after(key, self._uniform(delay / 2, delay))

    def forget(self, key: str) -> None:
        """The key went well: its next failure is a first one."""
        self._failures.pop(key, None)

    def failures(self, key: str) -> int:
        return self._failures.get(key, 0)

    async def get(self) -> str:
        """The next key; call `done` with it afterwards. Raises ShutDown."""
        while not self._waiting:
            if self._closed:
                raise ShutDown
            getter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter.done() and not getter.cancelled():
                    self._wake()  # it was this worker's turn: let another take it
                raise
        key = self._waiting.popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: str) -> None:
        self._processing.discard(key)
        if key in self._dirty:
            self._waiting.append(key)
            self._wake()

    def shut_down(self) -> None:
        """Take no more keys; workers get what waits already, then ShutDown."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for getter in self._getters:
            if not getter.done():
                getter.set_result(None)
        self._getters.clear()

    def _due(self, key: str) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return
