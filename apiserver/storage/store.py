"""Writing objects: every write is one etcd transaction that compares the key's mod revision.

Names that no two objects may hold at once (cluster addresses, node ports) are keys of their own, taken and freed in the
same transaction as the object, so that none is ever held twice or leaked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from apiserver.storage import keys
from apiserver.storage.etcd import Etcd, EtcdError, put, read, remove, unchanged_since
from apiserver.storage.stubs import etcd_pb2 as pb


class Lost(Exception):
    """The key is not what the writer thought: `current` is what is there now, or None."""

    def __init__(self, current: Stored | None) -> None:
        super().__init__("the key has been written by somebody else")
        self.current = current


class Reserved(Exception):
    """Somebody holds a name that the object wants."""

    def __init__(self, name: str, owner: str) -> None:
        super().__init__(f"{name} is held by {owner}")
        self.name = name
        self.owner = owner


class GuardChanged(Exception):
    """The key that the write depends on has been written since."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A key that must still be as it was at `revision`; `value` is what it becomes with the write, if anything."""

    key: bytes
    revision: int
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """An object's bytes as they are in etcd (without resourceVersion), and the revision of its last write."""

    value: bytes
    revision: int


class Store:
    """Reads and writes of single objects, straight at etcd."""

    def __init__(self, etcd: Etcd) -> None:
        self.etcd = etcd
        self._leases = Leases(etcd)

    async def get(self, key: bytes) -> Stored | None:
        """What is there now, linearizable."""
        answer = await self.etcd.range(key, limit=1)
        return _stored(answer)

    async def create(
        self,
        key: bytes,
        value: bytes,
        reserve: Iterable[str] = (),
        lifetime: int | None = None,
        guards: Sequence[Guard] = (),
    ) -> int:
        """Store a new object; its revision. Raises Lost, Reserved, GuardChanged, and etcd's errors."""
        return await self._write(key, 0, value, reserve, (), lifetime, guards)

    async def update(
        self,
        key: bytes,
        value: bytes,
        revision: int,
        reserve: Iterable[str] = (),
        free: Iterable[str] = (),
        lifetime: int | None = None,
        guards: Sequence[Guard] = (),
    ) -> int:
        """Replace the object last written at `revision`; the new revision. Raises as `create`."""
        return await self._write(key, revision, value, reserve, free, lifetime, guards)

    async def delete(self, key: bytes, revision: int, free: Iterable[str] = ()) -> int:
        """Remove the object last written at `revision`, and its reservations; the revision of that."""
        success = [remove(key), *(remove(keys.reservation(name)) for name in free)]
        answer = await self.etcd.txn([unchanged_since(key, revision)], success, [read(key)])
        if not answer.succeeded:
            raise Lost(_stored(answer.responses[0].response_range))
        return answer.header.revision

    async def _write(
        self,
        key: bytes,
        revision: int,
        value: bytes,
        reserve: Iterable[str],
        free: Iterable[str],
        lifetime: int | None,
        guards: Sequence[Guard],
    ) -> int:
        wanted = list(reserve)
        try:
            return await self._write_once(key, revision, value, wanted, free, lifetime, guards)
        except EtcdError as error:
            if not lifetime or _LEASE_GONE not in str(error):
                raise
            self._leases.forget(lifetime)  # etcd was restored or its clock ran ahead: it does not know ours any more
        return await self._write_once(key, revision, value, wanted, free, lifetime, guards)

    async def _write_once(
        self,
        key: bytes,
        revision: int,
        value: bytes,
        wanted: list[str],
        free: Iterable[str],
        lifetime: int | None,
        guards: Sequence[Guard],
    ) -> int:
        lease = await self._leases.get(lifetime) if lifetime else 0
        taken = [keys.reservation(name) for name in wanted]
        compare = [unchanged_since(key, revision), *(unchanged_since(name, 0) for name in taken)]
        compare += [unchanged_since(guard.key, guard.revision) for guard in guards]
        success = [put(key, value, lease), *(put(name, key) for name in taken)]
        success += [remove(keys.reservation(name)) for name in free]
        success += [put(guard.key, guard.value) for guard in guards if guard.value is not None]
        answer = await self.etcd.txn(compare, success, [read(key), *(read(name) for name in taken)])
        if answer.succeeded:
            return answer.header.revision
        current = _stored(answer.responses[0].response_range)
        if (current.revision if current else 0) != revision:
            raise Lost(current)
        for name, response in zip(wanted, answer.responses[1:], strict=True):
            if holder := _stored(response.response_range):
                raise Reserved(name, holder.value.decode(errors="replace"))
        raise GuardChanged if guards else Lost(current)


class Leases:
    """Leases shared by what is written within the same minute, as a lease for each event would be costly."""

    SHARED_SECONDS = 60

    def __init__(self, etcd: Etcd, now: Callable[[], float] = time.monotonic) -> None:
        self._etcd = etcd
        self._now = now
        self._current: dict[int, tuple[int, float]] = {}

    async def get(self, lifetime: int) -> int:
        """A lease that lives at least `lifetime` seconds from now."""
        lease, until = self._current.get(lifetime, (0, 0.0))
        if self._now() < until:
            return lease
        lease = await self._etcd.grant(lifetime + self.SHARED_SECONDS)
        self._current[lifetime] = (lease, self._now() + self.SHARED_SECONDS)
        return lease

    def forget(self, lifetime: int) -> None:
        """Do not give out the present lease again."""
        self._current.pop(lifetime, None)


_LEASE_GONE = "requested lease not found"


def _stored(answer: pb.RangeResponse) -> Stored | None:
    for item in answer.kvs:
        return Stored(item.value, item.mod_revision)
    return None
