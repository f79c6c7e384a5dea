"""A local copy of one kind's objects that keeps itself right: a list, then a watch, again and again, whatever happens.

Consumers get told of each change, with the old and the new object, and read the copy; nobody ever changes an object in
it. A restarted, unreachable or compacted API server costs a delay: after it, the list's differences to the copy are
told as changes like any others, so no consumer sees a gap.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Generic, NoReturn, TypeVar

from api import errors
from api.metadata import key as key_of
from client.backoff import Backoff
from client.codec import Unreadable
from client.resources import KubeObject, resource_of
from client.rest import Client, Unreachable
from client.store import Change, Store
from daemon.log import logger

log = logger(__name__)

T = TypeVar("T", bound=KubeObject)
Handler = Callable[[str, T | None, T | None], None]

_TROUBLE_AFTER = 30.0
"""Seconds without a working connection after which an informer says that it is in trouble."""
_STOOD = 1.0
"""Seconds after which a watch that ends has been one."""
_REFUSALS = 5
"""So many refused watches in a row, and the copy is made anew from a list."""


class Informer(Generic[T]):
    """`run()` it in a task of its own; `synced()` waits for the first list."""

    def __init__(
        self,
        client: Client,
        cls: type[T],
        *,
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
        indexers: Mapping[str, Callable[[T], Iterable[str]]] | None = None,
    ) -> None:
        self._client, self._cls = client, cls
        self._namespace, self._labels, self._fields = namespace, labels, fields
        self._store: Store[T] = Store(indexers or {})
        self._handlers: list[Handler[T]] = []
        self._synced = asyncio.Event()
        self._version = ""
        self._backoff = Backoff(0.05, 5.0)
        self._failing_since: float | None = None
        self._refusals = 0
        self.name = resource_of(cls).plural

    # -- the copy

    def get(self, key: str) -> T | None:
        """The object with the key `namespace/name` (or `name`). Must not be changed by anybody."""
        return self._store.get(key)

    def items(self) -> list[T]:
        return self._store.items()

    def keys(self) -> list[str]:
        return self._store.keys()

    def by_index(self, name: str, value: str) -> list[T]:
        return self._store.by_index(name, value)

    def __len__(self) -> int:
        return len(self._store)

    # -- its state

    @property
    def has_synced(self) -> bool:
        return self._synced.is_set()

    async def synced(self) -> None:
        await self._synced.wait()

    @property
    def resource_version(self) -> str:
        """How far the copy has come."""
        return self._version

    def trouble(self) -> str | None:
        """For a health check: what is wrong, or None."""
        if not self.has_synced:
            return f"the list of {self.name} has not arrived yet"
        if self._failing_since is not None and time.monotonic() - self._failing_since > _TROUBLE_AFTER:
            return f"no watch of {self.name} for {time.monotonic() - self._failing_since:.0f} s"
        return None

    def on_change(self, handler: Handler[T]) -> None:
        """Call `handler(key, old, new)` for each change, and now for what is there already. It must not block."""
        self._handlers.append(handler)
        for obj in self._store.items():
            self._call(handler, (key_of(obj), None, obj))

    # -- its work

    async def run(self) -> NoReturn:
        """Until cancelled."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except errors.StatusError as error:
                if self._version and self._must_list(error):
                    log.info("listing again", resource=self.name, reason=str(error))
                    self._version = ""
                    await asyncio.sleep(self._backoff.next())
                else:
                    await self._pause(error)
            except (Unreachable, Unreadable) as error:
                await self._pause(error)

    def _must_list(self, error: errors.StatusError) -> bool:
        """A watch that is refused for good begins anew; so one does from a version of which the server knows nothing,
        as after a restored backup."""
        self._refusals += 1
        return error.code == 410 or self._refusals >= _REFUSALS

    async def _list(self) -> None:
        page = await self._client.list(self._cls, self._namespace, self._labels, self._fields)
        for change in self._store.replace(page.items):
            self._tell(change)
        self._version = page.resource_version
        self._failing_since, self._refusals = None, 0
        self._synced.set()

    async def _watch(self) -> None:
        started = time.monotonic()
        events = self._client.watch(
            self._cls, self._namespace, self._labels, self._fields, resource_version=self._version
        )
        try:
            async with aclosing(events):
                async for kind, obj in events:
                    self._connected()
                    change = self._apply(kind, obj)
                    if change is not None:
                        self._tell(change)
        finally:
            if time.monotonic() - started >= _STOOD:  # it was a watch, even if it had nothing to say
                self._backoff.reset()
        if time.monotonic() - started < _STOOD:  # a server that hangs up at once is no better than one that is away
            await asyncio.sleep(self._backoff.next())
        else:
            self._connected()

    def _apply(self, kind: str, obj: T) -> Change[T] | None:
        if obj.metadata is not None and obj.metadata.resourceVersion:
            self._version = obj.metadata.resourceVersion
        if kind == "BOOKMARK":
            return None
        if kind == "DELETED":
            return self._store.remove(key_of(obj), obj)
        return self._store.put(obj)

    def _tell(self, change: Change[T]) -> None:
        for handler in self._handlers:
            self._call(handler, change)

    def _call(self, handler: Handler[T], change: Change[T]) -> None:
        try:
            handler(*change)
        except Exception:
            log.exception("a handler failed", resource=self.name, key=change[0])

    def _connected(self) -> None:
        self._failing_since = None
        self._refusals = 0
        self._backoff.reset()

    async def _pause(self, error: Exception) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        delay = self._backoff.next()
        level = log.warning if self._backoff.failures in (1, 5) or self._backoff.failures % 20 == 0 else log.debug
        level("cannot list and watch", resource=self.name, reason=str(error), retry_in=delay)
        await self._client.pause(delay)
