"""A wait for any of several caches to change: how a loop of the server's own follows what it depends on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType

from apiserver.storage.cache import Cache


class Changes:
    """Opened before the caches are read, so that no change after that is missed."""

    def __init__(self, caches: Iterable[Cache]) -> None:
        self._caches = tuple(caches)

    def __enter__(self) -> Changes:
        self._watchers = [cache.watch(cache.revision) for cache in self._caches]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for watcher in self._watchers:
            watcher.close()

    def wake(self) -> None:
        """End the wait for a reason of the loop's own."""
        for watcher in self._watchers:
            watcher.wake()

    async def wait(self, seconds: float | None = None) -> None:
        """Until one of the caches has changed, or for so long."""
        tasks = [asyncio.create_task(watcher.wait(), name="changes") for watcher in self._watchers]
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
