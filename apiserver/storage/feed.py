"""What happens in etcd, followed by one watch over the whole key space and dealt out to the caches.

One watch instead of one for each resource has a reason: it sees every revision, so that "the cache has caught up with
revision R" is a plain comparison and no resource waits for a progress note of its own.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing

from apiserver.storage import keys
from apiserver.storage.cache import Cache, Entry
from apiserver.storage.etcd import Compacted, Etcd, EtcdError, prefix_end
from apiserver.storage.stubs import etcd_pb2 as pb
from daemon.log import logger

log = logger(__name__)

PAGE = 2000
"""Objects read from etcd at once when a cache is filled."""
WAIT_LIMIT = 3.0
_BACKOFF = (0.05, 1.0)


class TooNew(EtcdError):
    """The caches did not reach a revision in time."""

    def __init__(self, asked: int, current: int) -> None:
        super().__init__(f"Too large resource version: {asked}, current: {current}")
        self.asked = asked
        self.current = current


class Feed:
    """Keeps `caches` (by their resources' key prefixes) and the reserved names true to etcd."""

    def __init__(self, etcd: Etcd, caches: dict[bytes, Cache]) -> None:
        self.etcd = etcd
        self.revision = 0
        """Everything up to here is in the caches."""
        self.filled = asyncio.Event()
        self.connected = False
        self._caches = caches
        self._joining: dict[bytes, list[pb.Event]] = {}
        """What has happened since to the objects of caches that are being filled."""
        self._reserved: dict[str, set[str]] = {}
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._asked = 0
        self._probe: asyncio.Future[int] | None = None
        self._prober: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Follow etcd until cancelled, through its restarts."""
        pause = _BACKOFF[0]
        while True:
            try:
                if not self.filled.is_set() or await self.etcd.revision() < self.revision:
                    await self._fill()
                pause = _BACKOFF[0]
                await self._follow_noting()
            except Compacted:
                log.warning("etcd has compacted what the cache had not seen yet; reading everything anew")
                self.filled.clear()
            except EtcdError as error:
                # Once it is plain that etcd stays away, it is not said again each second.
                (log.warning if pause < _BACKOFF[1] else log.debug)(
                    "lost sight of etcd", why=str(error), retry_in=pause
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, _BACKOFF[1])

    async def fresh(self) -> None:
        """Wait until the caches show every write that was answered before this call. Raises EtcdError, TooNew.

        Callers that come while a question to etcd is under way share the next one.
        """
        if self._probe is None:
            self._probe = asyncio.get_running_loop().create_future()
            if self._prober is None:
                self._prober = asyncio.create_task(self._ask(), name="revision probe")
        revision = await asyncio.shield(self._probe)
        if self.revision < revision:
            await self.reach(revision)

    async def reach(self, revision: int, seconds: float = WAIT_LIMIT) -> None:
        """Wait until the caches show `revision`. Raises TooNew."""
        if self.revision >= revision and self.filled.is_set():
            return
        self._asked += 1
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (revision, self._asked, future))
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            raise TooNew(revision, self.revision) from None

    async def join(self, prefix: bytes, cache: Cache) -> None:
        """Fill a cache and keep it true from now on, in place of the one that had the prefix. Raises EtcdError."""
        await self.filled.wait()
        while not await self._joined(prefix, cache):
            await self.filled.wait()

    async def _joined(self, prefix: bytes, cache: Cache) -> bool:
        missed = self._joining[prefix] = []
        revision = self.revision
        try:
            entries = [cache.entry(*item) async for item in self._read(prefix, revision)]
        except Compacted:
            return False
        finally:
            current = self._joining.pop(prefix, None)
        if current is not missed:
            return False  # the feed lost sight of etcd meanwhile
        cache.fill(entries, revision)
        self.leave(prefix)
        self._caches[prefix] = cache
        for event in missed:
            self._one(event, set())
        return True

    def leave(self, prefix: bytes) -> None:
        """Follow what is below the prefix no more; its watchers are told."""
        if (cache := self._caches.pop(prefix, None)) is not None:
            cache.end()

    def reserved(self, prefix: str) -> Collection[str]:
        """The names that are reserved below `prefix` (`nodeports/`): not to be changed, and true only for now."""
        return self._reserved.get(prefix, frozenset())

    def _reserve(self, name: str, held: bool) -> None:
        names = self._reserved.setdefault(name[: name.find("/") + 1], set())
        (names.add if held else names.discard)(name)

    async def _ask(self) -> None:
        try:
            while (asked := self._probe) is not None:
                self._probe = None
                try:
                    revision = await self.etcd.revision()
                except EtcdError as error:
                    asked.set_exception(error)
                    asked.exception()  # seen, even when every asker has gone
                else:
                    asked.set_result(revision)
        finally:
            self._prober = None

    async def _fill(self) -> None:
        revision = await self.etcd.revision()
        reserved = [name async for name, _, _ in self._read(keys.RESERVATIONS, revision)]
        contents: dict[bytes, list[Entry]] = {}
        while missing := self._caches.keys() - contents.keys():  # one may join meanwhile
            for prefix in missing:
                cache = self._caches[prefix]
                contents[prefix] = [cache.entry(*item) async for item in self._read(prefix, revision)]
        self._joining.clear()
        self._reserved = {}
        for name in reserved:
            self._reserve(name, held=True)
        for prefix, entries in contents.items():
            if prefix in self._caches:
                self._caches[prefix].fill(entries, revision)
        self.revision = revision
        self.filled.set()
        self._release()

    async def _read(self, prefix: bytes, revision: int) -> AsyncIterator[tuple[str, bytes, int]]:
        start, end = prefix, prefix_end(prefix)
        while True:
            answer = await self.etcd.range(start, end, limit=PAGE, revision=revision)
            for item in answer.kvs:
                yield item.key[len(prefix) :].decode(), item.value, item.mod_revision
            if not answer.more:
                return
            start = answer.kvs[-1].key + b"\0"

    async def _follow_noting(self) -> None:
        try:
            await self._follow()
        finally:
            self.connected = False

    async def _follow(self) -> None:
        async with aclosing(self.etcd.watch(b"\0", b"\0", self.revision + 1)) as responses:
            async for response in responses:
                if response.created:
                    log.info("following etcd", since_revision=self.revision)
                self.connected = True
                if response.events:
                    self._apply(response)

    def _apply(self, response: pb.WatchResponse) -> None:
        touched: set[Cache] = set()
        for event in response.events:
            self._one(event, touched)
        self.revision = max(self.revision, response.events[-1].kv.mod_revision)
        for cache in touched:
            cache.wake()
        self._release()

    def _one(self, event: pb.Event, touched: set[Cache]) -> None:
        item = event.kv
        key: bytes = item.key
        if key.startswith(keys.RESERVATIONS):
            self._reserve(key[len(keys.RESERVATIONS) :].decode(), held=event.type == pb.Event.PUT)
            return
        slash = key.find(b"/", key.find(b"/", len(keys.ROOT)) + 1) + 1
        prefix = key[:slash]
        if prefix in self._joining:
            self._joining[prefix].append(event)
        cache = self._caches.get(prefix)
        if cache is None:
            return
        if event.type == pb.Event.DELETE:
            cache.remove(key[slash:].decode(), item.mod_revision)
        else:
            cache.put(key[slash:].decode(), item.value, item.mod_revision)
        touched.add(cache)

    def _release(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.revision:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
