"""The watch cache of one resource: the newest objects as bytes ready to send, and the ring of recent changes.

An entry keeps the object's wire bytes and only what selectors ask for (labels, fields); who needs the object decodes
the bytes and so has a copy of its own. Watchers read the ring by position: a change is encoded once for all of them,
and a slow watcher costs no memory, it falls out of the ring and is told to list again.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

import orjson

from apiserver.storage.encoding import Encoding, Object
from apiserver.storage.expected import Expected, Facts, Writing

RING = 4096
"""Changes that a resource remembers at least, once it has had as many; fewer if they are large."""
RING_BYTES = 64 * 1024 * 1024
"""What the objects in these changes may add up to."""
FRAMED = 256
"""The newest changes, which keep their frames: only a slow watcher has others made anew."""

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


class Expired(Exception):
    """The changes asked for are not remembered any more."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {asked} ({oldest})")


class Message(Protocol):
    """An object in another encoding, which may lean on its wire bytes."""

    def whole(self, raw: bytes) -> bytes: ...


class Entry:
    """One object as of one revision."""

    __slots__ = ("fields", "key", "labels", "message", "name", "namespace", "raw", "revision", "terminating")

    def __init__(
        self,
        key: str,
        raw: bytes,
        revision: int,
        labels: Mapping[str, str],
        fields: Mapping[str, str],
        terminating: bool = False,
    ) -> None:
        self.key = key
        self.namespace, _, self.name = key.rpartition("/")
        self.raw = raw
        self.message: Message | None = None
        """The object in protobuf, once somebody has asked for it."""
        self.revision = revision
        self.labels = labels
        self.fields = fields
        self.terminating = terminating

    def decode(self) -> Object:
        """The object: a fresh dict, the caller's own."""
        obj: Object = orjson.loads(self.raw)
        return obj


class Selection(Protocol):
    """Which entries a reader wants."""

    def matches(self, entry: Entry) -> bool: ...


class Change:
    """What happened to one object. Frames are the lines of a watch's stream, made once for all watchers."""

    __slots__ = ("_frames", "entry", "previous", "revision", "type")

    def __init__(self, type_: ChangeType, entry: Entry, previous: Entry | None) -> None:
        self.type: ChangeType = type_
        self.entry = entry
        self.previous = previous
        self.revision = entry.revision
        self._frames: dict[str, bytes] = {}

    def seen_by(self, selection: Selection | None) -> ChangeType | None:
        """What the change is to a reader who sees only part of the objects."""
        if selection is None:
            return self.type
        now = self.type != "DELETED" and selection.matches(self.entry)
        before = self.previous is not None and selection.matches(self.previous)
        if now:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None

    def forget_frames(self) -> None:
        self._frames.clear()

    def frame(self, type_: ChangeType, encoding: Encoding) -> bytes:
        found = self._frames.get(type_)
        if found is None:
            found = self._frames[type_] = frame(type_, self.bytes_for(type_, encoding))
        return found

    def kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        """A frame of another form, under a name of its own."""
        found = self._frames.get(name)
        if found is None:
            found = self._frames[name] = make()
        return found

    def bytes_for(self, type_: ChangeType, encoding: Encoding) -> bytes:
        """The object to show: what left a reader's sight is shown as the reader last saw it."""
        if type_ == "DELETED" and self.type != "DELETED" and self.previous is not None:
            return encoding.again(self.previous.raw, self.previous.revision, self.revision)
        return self.entry.raw


def frame(type_: str, raw: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), raw)


class Cache:
    """All objects of one resource as of the feed's revision, and their recent changes."""

    def __init__(
        self,
        encoding: Encoding,
        fields: Callable[[Object], Mapping[str, str]],
        revive: Callable[[Object], bool] | None = None,
    ) -> None:
        self.encoding = encoding
        self._revive = revive
        self.entries: dict[str, Entry] = {}
        self.revision = 0
        """The revision of the newest change to any of these objects."""
        self._fields = fields
        self._keys: list[str] = []
        self._ring: list[Change] = []
        self._bytes = 0
        """The size of the objects in the ring."""
        self._dropped = 0
        """How many changes have left the ring: the position of its first one."""
        self._oldest = 0
        """Changes after this revision are all in the ring."""
        self._watchers: set[Watcher] = set()
        self.expected = Expected()
        self.ended = False
        """Whether the resource is served no more, or from another cache: watches end."""

    def fill(self, entries: Iterable[Entry], revision: int) -> None:
        """Start anew from what etcd held at `revision`; every watcher is told to list again."""
        self.entries = {entry.key: entry for entry in entries}
        self._keys = sorted(self.entries)
        self._dropped += len(self._ring) + 1  # whoever stands at the old end is behind, too
        self._ring, self._bytes = [], 0
        self._oldest = self.revision = revision
        self.expected.clear()
        self.wake()

    def put(self, key: str, stored: bytes, revision: int) -> None:
        facts = self.expected.take(key, stored)
        entry = self.entry(key, stored, revision) if facts is None else self._entry(key, stored, revision, facts)
        previous = self.entries.get(key)
        self.entries[key] = entry
        if previous is None:
            insort(self._keys, key)
        self._append(Change("ADDED" if previous is None else "MODIFIED", entry, previous))

    def remove(self, key: str, revision: int) -> None:
        previous = self.entries.pop(key, None)
        if previous is None:
            return
        del self._keys[bisect_left(self._keys, key)]
        raw = self.encoding.again(previous.raw, previous.revision, revision)
        self._append(Change("DELETED", Entry(key, raw, revision, previous.labels, previous.fields), previous))

    def wake(self) -> None:
        """Let the watchers look: once for a whole batch of changes."""
        for watcher in self._watchers:
            watcher.wake()

    def end(self) -> None:
        """Nothing will change here any more."""
        self.ended = True
        self.wake()

    def select(self, namespace: str, selection: Selection | None, after: str = "") -> Iterator[Entry]:
        """Entries in the order of their keys, those of one namespace or all; only keys after `after`."""
        keys, entries = self._keys, self.entries
        start, end = 0, len(keys)
        if namespace:
            start, end = bisect_left(keys, f"{namespace}/"), bisect_left(keys, f"{namespace}0")
        if after:
            start = max(start, bisect_right(keys, after))
        found = (entries[key] for key in keys[start:end])
        return found if selection is None else filter(selection.matches, found)

    def count(self, namespace: str = "") -> int:
        """How many objects there are, in one namespace or all."""
        if not namespace:
            return len(self._keys)
        return bisect_left(self._keys, f"{namespace}0") - bisect_left(self._keys, f"{namespace}/")

    def watch(self, after: int) -> Watcher:
        """A reader of the changes after revision `after`. Raises Expired."""
        if after < self._oldest:
            raise Expired(after, self._oldest)
        position = self._dropped + bisect_right(self._ring, after, key=lambda change: change.revision)
        watcher = Watcher(self, position)
        self._watchers.add(watcher)
        return watcher

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return len(self._watchers)

    def forget(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def since(self, position: int) -> tuple[list[Change], int]:
        """The changes from a position on, and the position after them. Raises Expired."""
        if position < self._dropped:
            raise Expired(0, self._oldest)
        return self._ring[position - self._dropped :], self._dropped + len(self._ring)

    def has_more(self, position: int) -> bool:
        return position != self._dropped + len(self._ring)

    def entry(self, key: str, stored: bytes, revision: int) -> Entry:
        """An entry from what etcd holds; it need not be the newest, and is not put into the cache."""
        obj = orjson.loads(stored)
        if self._revive is not None and self._revive(obj):
            stored = self.encoding.store(obj)
        return self._entry(key, stored, revision, self._facts(obj))

    def writing(self, key: str, stored: bytes, obj: Object) -> AbstractContextManager[None]:
        """A context for the write of an object, which will be these bytes in etcd: they need not be decoded again."""
        if self._revive is not None:
            return nullcontext()
        return Writing(self.expected, key, stored, self._facts(obj))

    def _facts(self, obj: Object) -> Facts:
        metadata: dict[str, Any] = obj["metadata"]
        labels = dict(metadata.get("labels") or _NONE)
        return Facts(labels, self._fields(obj) or _NONE, bool(metadata.get("deletionTimestamp")))

    def _entry(self, key: str, stored: bytes, revision: int, facts: Facts) -> Entry:
        return Entry(key, self.encoding.wire(stored, revision), revision, *facts)

    def _append(self, change: Change) -> None:
        self._ring.append(change)
        self._bytes += len(change.entry.raw)
        self.revision = change.revision
        if len(self._ring) > FRAMED:
            self._ring[-FRAMED - 1].forget_frames()
        if len(self._ring) >= 2 * RING:
            self._drop(RING)
        while self._bytes > RING_BYTES and len(self._ring) > 1:
            self._drop((len(self._ring) + 1) // 2)

    def _drop(self, count: int) -> None:
        """Forget the oldest changes: watchers that have not taken them are told to list again."""
        self._oldest = self._ring[count - 1].revision
        self._dropped += count
        self._bytes -= sum(len(change.entry.raw) for change in self._ring[:count])
        del self._ring[:count]


_NONE: dict[str, str] = {}


class Watcher:
    """A place in a cache's ring of changes, and the wait for more."""

    __slots__ = ("_cache", "_position", "_waiter", "_woken")

    def __init__(self, cache: Cache, position: int) -> None:
        self._cache = cache
        self._position = position
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False
        """Whether `wake` was called since the last wait: a call that comes while nobody waits must not be lost."""

    def take(self) -> list[Change]:
        """The changes since the last time, perhaps none. Raises Expired."""
        changes, self._position = self._cache.since(self._position)
        return changes

    async def wait(self) -> None:
        """Until there is a change, or `wake` is called."""
        if self._woken or self._cache.has_more(self._position):
            self._woken = False
            return
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._woken = False

    def wake(self) -> None:
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        self._cache.forget(self)
