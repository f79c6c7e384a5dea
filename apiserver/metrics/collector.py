"""Readings of the kubelets, taken when somebody asks, and no more than one for each kubelet and period.

CPU use needs two readings. Who asks often gets the difference to the one before; the first who asks after a while
waits a moment for a second one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apiserver.metrics import points
from apiserver.metrics.points import NODE, PodUse, Reading, Use
from apiserver.remote.answer import BrokenAnswer
from apiserver.streaming.kubelet import KubeletError, location_of
from daemon.log import logger

if TYPE_CHECKING:
    from apiserver.endpoints.state import State

log = logger(__name__)

PERIOD = 15.0
"""Seconds for which a reading is good."""
TOO_OLD = 60.0
"""Seconds after which a reading is no base for the next: use over that long says nothing of now."""
GAP = 1.1
"""Seconds between the two first readings."""
DEADLINE = 5.0
TOGETHER = 50
"""Kubelets that are asked at the same time."""
LARGEST = 16 * 1024 * 1024


@dataclass
class _Window:
    """The two last readings of a node."""

    last: Reading = field(default_factory=dict)
    before: Reading = field(default_factory=dict)
    tried: float = -TOO_OLD
    taken: float = -TOO_OLD

    def due(self, now: float) -> bool:
        return now - self.tried >= PERIOD

    @property
    def whole(self) -> bool:
        return bool(self.before)

    def put(self, reading: Reading, now: float) -> None:
        self.before = self.last if now - self.taken < TOO_OLD else {}
        self.last, self.taken = reading, now

    def lose(self) -> None:
        self.last, self.before = {}, {}


class Collector:
    def __init__(self, state: State) -> None:
        self._state = state
        self._windows: dict[str, _Window] = {}
        self._reading = asyncio.Lock()

    async def nodes(self) -> dict[str, Use]:
        """The use of each node that could be asked."""
        found = {}
        for name, window in (await self._fresh()).items():
            if NODE in window.last and (use := points.use(window.before.get(NODE), window.last[NODE])) is not None:
                found[name] = use
        return found

    async def pods(self) -> dict[tuple[str, str], PodUse]:
        """The use of each running pod, by namespace and name."""
        found: dict[tuple[str, str], PodUse] = {}
        for window in (await self._fresh()).values():
            found |= points.pods(window.before, window.last)
        return found

    async def _fresh(self) -> dict[str, _Window]:
        async with self._reading:
            nodes = self._state.resource("nodes").cache.entries.keys()
            self._windows = {name: self._windows.get(name) or _Window() for name in nodes}
            now = time.monotonic()
            due = [name for name, window in self._windows.items() if window.due(now)]
            await self._read(due)
            halves = [name for name in due if self._windows[name].last and not self._windows[name].whole]
            if halves:
                await asyncio.sleep(GAP)
                await self._read(halves)
            return self._windows

    async def _read(self, names: Iterable[str]) -> None:
        room = asyncio.Semaphore(TOGETHER)

        async def one(name: str) -> None:
            window = self._windows[name]
            window.tried = time.monotonic()
            try:
                async with room, asyncio.timeout(DEADLINE):
                    window.put(points.read(await self._page(name)), window.tried)
            except (KubeletError, TimeoutError) as error:
                log.warning("a node's use is not known", node=name, why=str(error) or "timed out")
                window.lose()

        await asyncio.gather(*(one(name) for name in names))

    async def _page(self, name: str) -> str:
        node = self._state.resource("nodes").cache.entries.get(name)
        if node is None:
            raise KubeletError("the node is gone")
        location = location_of(node.decode())
        try:
            async with self._state.kubelets.get(location, "/metrics/resource") as answer:
                body = await answer.read(LARGEST)
        except BrokenAnswer as error:
            raise KubeletError(str(error)) from error
        if answer.status != 200:
            raise KubeletError(f"the kubelet answered with status {answer.status}")
        return body.decode(errors="replace")
