"""watch: a stream of changes that starts where the client says and lasts until its time is over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from api import metadata, protobuf
from api.errors import BadRequest, Invalid
from api.errors import Expired as ExpiredError
from api.field import FieldError, forbidden
from apiserver.endpoints.answer import PARTIAL_LIST, NoSuchShape, partial, table, wanted
from apiserver.endpoints.http import Request, flag
from apiserver.endpoints.media import body_of, encode
from apiserver.endpoints.negotiate import Form
from apiserver.endpoints.selection import Selection, read_selection
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.versions import parse_version, wait_for
from apiserver.endpoints.websocket import PIECES
from apiserver.registry.kind import Object
from apiserver.storage.cache import Change, ChangeType, Entry, Expired, Watcher, frame

BOOKMARK_SECONDS = 60.0
SHORTEST_DEFAULT = 1800.0
"""A watch without timeoutSeconds lasts this long to twice as long, so that watches do not all end at once."""
TIMER_SLACK = 0.002
"""Timers may fire this much early."""
INITIAL_END = "k8s.io/initial-events-end"
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What a watch request asks for. `start` is None when the newest objects are wanted first, as ADDED."""

    version: str
    start: int | None
    seconds: float
    bookmarks: bool
    mark_initial_end: bool


def read_wish(query: Mapping[str, str]) -> Wish:
    """Raises BadRequest, Invalid."""
    version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    bookmarks = flag(query, "allowWatchBookmarks")
    initial = flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None
    _check_initial(initial, match, bookmarks)
    number = parse_version(version) if version else 0
    start = None if initial or (initial is None and not number) else number
    try:
        seconds = float(query.get("timeoutSeconds") or 0)
    except ValueError as error:
        raise BadRequest("timeoutSeconds must be a number") from error
    return Wish(version, start, seconds or SHORTEST_DEFAULT * (1 + random.random()), bookmarks, bool(initial))


def _check_initial(initial: bool | None, match: str, bookmarks: bool) -> None:
    errors: list[FieldError] = []
    if initial is None and match:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        errors.append(forbidden("resourceVersionMatch", text))
    elif initial is not None and match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        errors.append(forbidden("resourceVersionMatch", text))
    elif initial and not bookmarks:
        errors.append(forbidden("sendInitialEvents", "sendInitialEvents requires allowWatchBookmarks"))
    if errors:
        raise Invalid("ListOptions", "meta.k8s.io", "", errors)


async def watch(state: State, request: Request, resource: Resource, namespace: str, name: str = "") -> None:
    """Answer with the stream. Raises StatusError before the first byte; later trouble is an ERROR event."""
    wish = read_wish(request.query)
    selection = read_selection(request.query, resource.kind, namespace, name)
    form = wanted(request, resource.kind, stream=True)
    if form.as_ == PARTIAL_LIST:
        raise NoSuchShape(form.as_, "not a list")
    await wait_for(state.feed, wish.version)
    stream = _Stream(state, request, resource, selection, wish, form)
    if form.protobuf:
        await request.start_stream(form.content_type + b";stream=watch", PIECES)
    else:
        await request.start_stream(form.content_type)
    await stream.run()


class _Stream:
    def __init__(
        self, state: State, request: Request, resource: Resource, selection: Selection | None, wish: Wish, form: Form
    ) -> None:
        self.state = state
        self.request = request
        self.resource = resource
        self.selection = selection
        self.wish = wish
        self.form = form
        self.gone = False
        self._described = False
        """Whether a table's columns have been sent: only its first event describes them."""

    async def run(self) -> None:
        """Send what there is, if that is wanted, then the changes."""
        cache, revision = self.resource.cache, self.state.feed.revision
        initial = [] if self.wish.start is not None else list(cache.select("", self.selection))
        try:
            watcher = cache.watch(revision if self.wish.start is None else self.wish.start or revision)
        except Expired as expired:
            await self._expire(expired)
            return
        leaving = asyncio.create_task(self._notice_leaving(watcher), name="watch: client leaving")
        try:
            await self._send_initial(initial, revision)
            await self._follow(watcher, asyncio.get_running_loop().time() + self.wish.seconds)
            await self.request.end_stream()
        except Expired as expired:
            await self._expire(expired)
        finally:
            leaving.cancel()
            watcher.close()

    async def _send_initial(self, entries: list[Entry], revision: int) -> None:
        for at in range(0, len(entries), _BATCH):
            batch = entries[at : at + _BATCH]
            raws = await self.resource.shown([entry.raw for entry in batch])
            frames = [self._frame("ADDED", raw, entry) for raw, entry in zip(raws, batch, strict=True)]
            await self.request.stream(b"".join(frames))
        if self.wish.mark_initial_end:
            await self.request.stream(self._bookmark(revision, {INITIAL_END: "true"}))

    async def _follow(self, watcher: Watcher, end: float) -> None:
        loop = asyncio.get_running_loop()
        mark = loop.time() + BOOKMARK_SECONDS if self.wish.bookmarks else end
        alarm = loop.call_at(min(end, mark), watcher.wake)
        try:
            while not (self.gone or self.resource.cache.ended or self.state.stopping.is_set()):
                changes, revision = watcher.take(), self.state.feed.revision
                if changes:
                    await self._send(changes)
                if (now := loop.time() + TIMER_SLACK) >= end:
                    return
                if now >= mark:
                    # Not the feed's revision of now: what has come since the changes were taken is not sent yet.
                    await self.request.stream(self._bookmark(revision))
                    mark = now + BOOKMARK_SECONDS
                    alarm = loop.call_at(min(end, mark), watcher.wake)
                await watcher.wait()
        finally:
            alarm.cancel()

    async def _send(self, changes: list[Change]) -> None:
        frames = list(self._frames(changes) if self.resource.alone else await self._frames_shown(changes))
        if frames:
            await self.request.stream(frames[0] if len(frames) == 1 else b"".join(frames))

    def _frames(self, changes: Iterable[Change]) -> Iterable[bytes]:
        encoding, plain = self.resource.encoding, self.form.plain
        for change in changes:
            seen = change.seen_by(self.selection)
            if seen is not None:
                yield change.frame(seen, encoding) if plain else self._frame_of(seen, change)

    def _frame_of(self, type_: ChangeType, change: Change) -> bytes:
        """A frame that is not the plain one; whole objects in protobuf are framed once for all watchers, too."""
        raw = change.bytes_for(type_, self.resource.encoding)
        if not self.form.whole:
            return self._frame(type_, raw)
        return change.kept(f"{type_} in protobuf", lambda: self._frame(type_, raw, change.entry))

    async def _frames_shown(self, changes: Iterable[Change]) -> Iterable[bytes]:
        """The same for a resource of several versions."""
        seen = [(type_, change) for change in changes if (type_ := change.seen_by(self.selection))]
        kept = [change.bytes_for(type_, self.resource.home.encoding) for type_, change in seen]
        raws = await self.resource.shown(kept)
        return [self._frame(type_, raw) for (type_, _), raw in zip(seen, raws, strict=True)]

    def _frame(self, type_: str, raw: bytes, entry: Entry | None = None) -> bytes:
        if self.form.plain:
            return frame(type_, raw)
        if self.form.whole:
            return protobuf.watch_frame(type_, body_of(self.resource.kind, raw, entry))
        return self._framed(type_, self._shown(orjson.loads(raw)))

    def _framed(self, type_: str, value: Object) -> bytes:
        body = encode(self.form, value)
        return protobuf.watch_frame(type_, body) if self.form.protobuf else frame(type_, body)

    def _shown(self, obj: Object) -> Object:
        """An object in the form the client wants."""
        if self.form.as_ != "Table":
            return partial(obj, self.form.version) if self.form.as_ else obj
        meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        include, head = self.request.query.get("includeObject", ""), not self._described
        self._described = True
        return table(self.resource.kind, [obj], meta, self.form, include, metadata.now(), head)

    def _bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        meta: Object = {"resourceVersion": str(revision)}
        if annotations:
            meta["annotations"] = annotations
        kind = self.resource.kind
        obj: Object = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta}
        if self.form.as_ == "Table":
            version = f"meta.k8s.io/{self.form.version}"
            row = {"cells": [], "object": partial(obj, self.form.version)}
            obj = {"kind": "Table", "apiVersion": version, "metadata": meta, "columnDefinitions": None, "rows": [row]}
        elif self.form.as_:
            obj = partial(obj, self.form.version)
        return self._framed("BOOKMARK", obj)

    async def _expire(self, expired: Expired) -> None:
        await self.request.stream(self._framed("ERROR", ExpiredError(str(expired)).status()))
        await self.request.end_stream()

    async def _notice_leaving(self, watcher: Watcher) -> None:
        await self.request.disconnected()
        self.gone = True
        watcher.wake()
