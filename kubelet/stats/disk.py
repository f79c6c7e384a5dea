"""How much folders take, kept up to date in the background while somebody asks: walking a large one is not cheap."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from kubelet.stats.file_system import Taken, taken

FRESH = 60.0
"""Seconds for which a measure is good."""
SLOW = 20
"""A folder is walked again no sooner than this many times what the last walk took."""
FORGET = 600.0
"""Seconds after which a folder that nobody asks for is forgotten."""


@dataclass(slots=True)
class _Folder:
    asked: float
    measured: float = 0.0
    cost: float = 0.0
    taken: Taken | None = None

    def due(self, now: float) -> bool:
        return now - self.measured > max(FRESH, SLOW * self.cost)


class DiskUse:
    """`look` tells what is known; `refresh` measures what is due, one folder after the other."""

    def __init__(self) -> None:
        self._folders: dict[Path, _Folder] = {}
        self._walk: asyncio.Task[None] | None = None

    def look(self, path: Path) -> Taken | None:
        """What the folder took when it was last measured, if it was. From any thread."""
        now = time.monotonic()
        folder = self._folders.setdefault(path, _Folder(now))
        folder.asked = now
        return folder.taken

    def refresh(self) -> asyncio.Task[None]:
        """Begin to measure what is due, unless that is under way."""
        if self._walk is None or self._walk.done():
            self._walk = asyncio.create_task(self._measure(), name="disk use")
        return self._walk

    async def _measure(self) -> None:
        now = time.monotonic()
        for path, folder in list(self._folders.items()):
            if now - folder.asked > FORGET:
                del self._folders[path]
            elif folder.due(now):
                began = time.monotonic()
                folder.taken = await asyncio.to_thread(taken, path)
                folder.measured = time.monotonic()
                folder.cost = folder.measured - began

    def close(self) -> None:
        if self._walk is not None:
            self._walk.cancel()
