"""watch: a stream of changes that starts where the client says and lasts until its time is over."""

from __future__ import annotations

import asyncio
import random
import time

import orjson

from api.errors import Expired as ExpiredError
from apiserver.endpoints.http import Request
from apiserver.endpoints.selection import Selection, read_selection
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.versions import parse_version, wait_for
from apiserver.storage.cache import Change, Expired, Watcher, frame

BOOKMARK_SECONDS = 60.0
SHORTEST_DEFAULT = 1800.0
"""A watch without timeoutSeconds lasts this long to twice as long, so that watches do not all end at once."""
STREAM = b"application/json"


async def watch(state: State, request: Request, resource: Resource, namespace: str, name: str = "") -> None:
    query = request.query
    selection = read_selection(query, resource.kind, namespace, name)
    version = query.get("resourceVersion", "")
    await wait_for(state.feed, version)
    start = parse_version(version) if version else 0
    seconds = float(query.get("timeoutSeconds") or 0) or SHORTEST_DEFAULT * (1 + random.random())
    stream = _Stream(state, request, resource, selection, query.get("allowWatchBookmarks") in ("true", "1"))
    await request.start_stream(STREAM)
    await stream.run(start, seconds)


class _Stream:
    def __init__(
        self, state: State, request: Request, resource: Resource, selection: Selection | None, bookmarks: bool
    ) -> None:
        self.state = state
        self.request = request
        self.resource = resource
        self.selection = selection
        self.bookmarks = bookmarks
        self.gone = False

    async def run(self, start: int, seconds: float) -> None:
        """Send what there is at the start, then the changes."""
        cache = self.resource.cache
        initial: list[bytes] = []
        if not start:
            start = self.state.feed.revision
            initial = [frame("ADDED", entry.raw) for entry in cache.select("", self.selection)]
        try:
            watcher = cache.watch(start)
        except Expired as expired:
            await self._expire(expired)
            return
        leaving = asyncio.create_task(self._notice_leaving(watcher))
        try:
            for at in range(0, len(initial), 100):
                await self.request.stream(b"".join(initial[at : at + 100]))
            await self._follow(watcher, time.monotonic() + seconds)
            await self.request.end_stream()
        except Expired as expired:
            await self._expire(expired)
        finally:
            leaving.cancel()
            watcher.close()

    async def _follow(self, watcher: Watcher, end: float) -> None:
        mark = time.monotonic() + BOOKMARK_SECONDS
        while not (self.gone or self.state.stopping.is_set()):
            if changes := watcher.take():
                await self._send(changes)
            now = time.monotonic()
            if now >= end:
                return
            if self.bookmarks and now >= mark:
                mark = now + BOOKMARK_SECONDS
                await self.request.stream(self.bookmark(self.state.feed.revision))
            await watcher.wait(min(end, mark) - now if self.bookmarks else end - now)

    async def _send(self, changes: list[Change]) -> None:
        encoding = self.resource.encoding
        frames = [
            change.frame(seen, encoding) for change in changes if (seen := change.seen_by(self.selection)) is not None
        ]
        if frames:
            await self.request.stream(frames[0] if len(frames) == 1 else b"".join(frames))

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        metadata: dict[str, object] = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        kind = self.resource.kind
        obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
        return frame("BOOKMARK", orjson.dumps(obj))

    async def _expire(self, expired: Expired) -> None:
        status = ExpiredError(str(expired)).status()
        await self.request.stream(frame("ERROR", orjson.dumps(status)))
        await self.request.end_stream()

    async def _notice_leaving(self, watcher: Watcher) -> None:
        await self.request.disconnected()
        self.gone = True
        watcher.wake()
