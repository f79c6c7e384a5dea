"""Followers: each reads when the kernel says that a log's folder has changed, or the kubelet that its container has.

No thread and no poll for any of them: one inotify instance serves all, and is open only while there are some. A watch
tells of one change and is set anew before each look, so that a chatty container wakes its followers once a look and
not once a line.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kubelet.logs.entries import Sieve
from kubelet.logs.files import LogReader

if TYPE_CHECKING:
    from asyncinotify import Inotify


class Followers:
    """All followers of this node."""

    def __init__(self) -> None:
        self._inotify: Inotify | None = None
        self._task: asyncio.Task[None] | None = None
        self._by_watch: dict[int, set[asyncio.Event]] = {}
        self._by_pod: dict[str, set[asyncio.Event]] = {}
        self._count = 0

    @contextmanager
    def joined(self, pod_uid: str) -> Iterator[asyncio.Event]:
        """An event that is set when one of the pod's containers starts or ends, or an armed folder changes."""
        news = asyncio.Event()
        self._by_pod.setdefault(pod_uid, set()).add(news)
        self._count += 1
        try:
            yield news
        finally:
            self._count -= 1
            self._by_pod[pod_uid].discard(news)
            if not self._by_pod[pod_uid]:
                del self._by_pod[pod_uid]
            for waiting in self._by_watch.values():
                waiting.discard(news)
            if not self._count:
                self._close()

    def container_changed(self, pod_uid: str) -> None:
        for news in self._by_pod.get(pod_uid, ()):
            news.set()

    def arm(self, folder: Path, news: asyncio.Event) -> None:
        """Let the next change in the folder set the event. Raises FileNotFoundError."""
        from asyncinotify import Inotify, Mask

        if self._inotify is None:
            self._inotify = Inotify(cache_size=64)
            self._task = asyncio.create_task(self._listen(self._inotify), name="followed logs")
        mask = Mask.MODIFY | Mask.CREATE | Mask.MOVED_TO | Mask.DELETE_SELF | Mask.ONESHOT
        watch = self._inotify.add_watch(folder, mask)
        self._by_watch.setdefault(watch.wd, set()).add(news)

    async def _listen(self, inotify: Inotify) -> None:
        while True:
            event = await inotify.get()
            for news in self._by_watch.pop(event.watch.wd, ()) if event.watch is not None else ():
                news.set()

    def _close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._inotify is not None:
            self._inotify.close()
        self._inotify = self._task = None
        self._by_watch.clear()


async def copy(reader: LogReader, sieve: Sieve) -> AsyncGenerator[bytes, None]:
    """What there is now, up to the limit. Others get their turn between blocks."""
    while not sieve.full and (block := reader.read()):
        if piece := sieve.pass_on(block):
            yield piece
        else:
            await asyncio.sleep(0)


async def follow(
    reader: LogReader, sieve: Sieve, folder: Path, followers: Followers, pod_uid: str, running: Callable[[], bool]
) -> AsyncGenerator[bytes, None]:
    """The same, and then what comes, until the container has ended and its last line is read."""
    with followers.joined(pod_uid) as news:
        while True:
            news.clear()
            more = running()
            try:
                followers.arm(folder, news)
            except FileNotFoundError:
                more = False  # the container is removed; what is held open can still be read
            async for piece in copy(reader, sieve):
                yield piece
            if not more or sieve.full:
                return
            await news.wait()
