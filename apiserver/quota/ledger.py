"""Charging quotas: the object and the quota's new status are written in one etcd transaction.

So what is used never exceeds what is allowed, whoever else creates at the same time, and no charge is left over from a
write that failed. What is given back (a deletion, a pod that ends) is noticed by the server that wrote it, and counted
anew a moment later, or at once when something would not fit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from api.errors import StatusError
from apiserver.quota import counting
from apiserver.quota.scopes import covers, selectors
from apiserver.quota.usage import Amounts, unstated, usage, weighed
from apiserver.registry.kind import Kind, Object
from apiserver.storage.etcd import EtcdError
from apiserver.storage.store import Guard, Lost
from daemon.log import logger

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import Resource, State
    from apiserver.storage.cache import Cache

log = logger(__name__)

PAUSE = 0.5
"""Seconds in which what is given back is gathered before it is counted."""
SHARE = 20
"""Counting takes no more than one part in so many of the time."""


class Charge:
    """A write that no quota counts. `guards` go into its transaction; `done` is told of the transaction's revision."""

    guards: Sequence[Guard] = ()

    async def __aenter__(self) -> Charge:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def done(self, revision: int) -> None:
        return None


FREE = Charge()


@dataclass(slots=True)
class _Namespace:
    """What this server knows of one namespace's quotas beyond the cache: its own last writes, what objects take."""

    name: str
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    written: dict[str, tuple[int, Object]] = field(default_factory=dict)
    taken: dict[str, dict[str, tuple[int, Amounts]]] = field(default_factory=dict)
    """By plural and name: what an object took at which of its revisions."""


class Quotas:
    """All quotas, of all namespaces."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._namespaces: dict[str, _Namespace] = {}
        self._dirty: set[str] = set()
        self._woken = asyncio.Event()

    @cached_property
    def _resource(self) -> Resource:
        return self._state.resource("resourcequotas")

    def charge(self, attributes: Attributes, obj: Object, old: Object | None = None) -> Charge:
        """What the write takes from quotas: to be entered around it. Entering raises Forbidden when it is too much."""
        cache = self._resource.cache
        if not cache.entries or not attributes.namespace or not cache.count(attributes.namespace):
            return FREE
        return _Charge(self, attributes, obj, old) if _counts(attributes) else FREE

    def changed(self, resource: Resource, namespace: str, new: Object | None, old: Object | None) -> None:
        """Take note of a write that may give something back, or changes a quota."""
        if resource is not self._resource:
            cache = self._resource.cache
            if not cache.entries or not cache.count(namespace) or old is None:
                return
            if new is not None and not (
                weighed(resource.kind) and usage(resource.kind, new) != usage(resource.kind, old)
            ):
                return
        elif new is not None and counting.counted(new):
            return
        self._dirty.add(namespace)
        self._woken.set()

    async def run(self) -> None:
        """Count anew where something was given back, until cancelled."""
        loop = asyncio.get_running_loop()
        await self._state.feed.filled.wait()
        self._dirty.update(entry.namespace for entry in self._resource.cache.select("", None))
        while True:
            if not self._dirty:
                await self._woken.wait()
            self._woken.clear()
            await asyncio.sleep(PAUSE)
            begun, again = loop.time(), set[str]()
            while self._dirty:
                name = self._dirty.pop()
                try:
                    await self._recount(name)
                except (EtcdError, StatusError, Lost) as error:
                    log.debug("could not count a quota; trying again", namespace=name, why=str(error))
                    again.add(name)
            self._dirty |= again
            await asyncio.sleep((loop.time() - begun) * SHARE)

    async def _recount(self, name: str) -> None:
        space = self.space(name)
        async with space.lock:
            await self._state.feed.fresh()
            if not self._resource.cache.count(name):
                self._namespaces.pop(name, None)
                return
            for key, revision, quota in self.known(space):
                counted = self.recounted(space, quota)
                if counted["status"] != quota.get("status"):
                    value = self._resource.encoding.store(counted)
                    written = await self._state.store.update(key, value, revision)
                    space.written[quota["metadata"]["name"]] = written, counted

    def space(self, name: str) -> _Namespace:
        return self._namespaces.setdefault(name, _Namespace(name))

    async def fresh(self) -> None:
        await self._state.feed.fresh()

    def known(self, space: _Namespace) -> Iterator[tuple[bytes, int, Object]]:
        """The namespace's quotas, each with its key and revision: as cached, or as this server wrote them since."""
        for entry in list(self._resource.cache.select(space.name, None)):
            revision, quota = space.written.get(entry.name, (0, {}))
            if revision <= entry.revision:
                revision, quota = entry.revision, entry.decode()
                space.written.pop(entry.name, None)
            yield self._resource.storage_key(space.name, entry.name), revision, quota

    def guard(self, key: bytes, revision: int, quota: Object) -> Guard:
        return Guard(key, revision, self._resource.encoding.store(quota))

    def recounted(self, space: _Namespace, quota: Object) -> Object:
        """The quota with what is used as the caches have it, all of one revision."""
        names = set(counting.hard(quota))
        plain: Amounts = {}
        taken: list[Amounts] = []
        scoped = any(True for _ in selectors(quota))
        for home in self._state.catalog.homes:
            if not home.kind.namespaced:
                continue
            if weighed(home.kind):
                taken += self._taken(space, home.cache, home.kind, quota)
            elif not scoped and names.intersection(one := usage(home.kind, {})):
                count = str(home.cache.count(space.name))
                plain |= dict.fromkeys(one, count)
        return counting.with_used(quota, counting.total([plain, *taken], names))

    def _taken(self, space: _Namespace, cache: Cache, kind: Kind, quota: Object) -> Iterator[Amounts]:
        """What each object within the quota's scopes takes; an object is read once for each change of it."""
        scoped = any(True for _ in selectors(quota))
        known, now = space.taken.get(kind.plural, {}), dict[str, tuple[int, Amounts]]()
        for entry in cache.select(space.name, None):
            found = known.get(entry.name)
            obj = entry.decode() if scoped or found is None or found[0] != entry.revision else {}
            if found is None or found[0] != entry.revision:
                found = entry.revision, usage(kind, obj)
            now[entry.name] = found
            if not scoped or covers(quota, kind, obj):
                yield found[1]
        space.taken[kind.plural] = now


class _Charge(Charge):
    """One write under way. It holds the namespace's lock until it is stored, as others must count with it."""

    def __init__(self, quotas: Quotas, attributes: Attributes, obj: Object, old: Object | None) -> None:
        self._quotas = quotas
        self._attributes = attributes
        self._obj = obj
        self._old = old
        self._space = quotas.space(attributes.namespace)
        self._after: list[Object] = []

    async def __aenter__(self) -> Charge:
        await self._space.lock.acquire()
        try:
            self.guards = await self._guards()
        except BaseException:
            self._space.lock.release()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._space.lock.release()

    def done(self, revision: int) -> None:
        for quota in self._after:
            self._space.written[quota["metadata"]["name"]] = revision, quota

    async def _guards(self) -> list[Guard]:
        """Raises Forbidden."""
        kind = self._attributes.resource.kind
        now, before = usage(kind, self._obj), usage(kind, self._old) if self._old is not None else {}
        guards = []
        certain = False
        for key, revision, quota in list(self._quotas.known(self._space)):
            names = counting.hard(quota).keys() & now.keys()
            if not covers(quota, kind, self._obj):
                continue
            name = quota["metadata"]["name"]
            if why := unstated(kind, self._obj, counting.hard(quota)):
                raise self._attributes.forbidden(f"failed quota: {name}: {why}")
            more = counting.growth(now, before, names)
            if not more:
                continue
            if not counting.counted(quota) or counting.exceeded(quota, more):
                if not certain:
                    await self._quotas.fresh()
                    certain = True
                key, revision, quota = self._newest(name) or (key, revision, quota)
                quota = self._quotas.recounted(self._space, quota)
            if why := counting.exceeded(quota, more):
                raise self._attributes.forbidden(why)
            charged = counting.with_used(quota, counting.charged(counting.used(quota), more))
            guards.append(self._quotas.guard(key, revision, charged))
            self._after.append(charged)
        return guards

    def _newest(self, name: str) -> tuple[bytes, int, Object] | None:
        found = (each for each in self._quotas.known(self._space) if each[2]["metadata"]["name"] == name)
        return next(found, None)


def _counts(attributes: Attributes) -> bool:
    """Whether a write of this sort can take anything."""
    kind = attributes.resource.kind
    if attributes.operation == "create":
        return not attributes.subresource
    if attributes.operation != "update" or not weighed(kind):
        return False
    return attributes.subresource == ("resize" if kind.plural == "pods" else "")
