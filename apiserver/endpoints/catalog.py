"""The resources that are served now, and where their objects are.

Built-in kinds are there from the start; custom ones come and go. A resource may have several versions: they share one
cache and one place in etcd (their home, the resource in the version that is kept), and each shows the objects its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import orjson

from apiserver.registry.kind import Kind, Object
from apiserver.storage.cache import Cache
from apiserver.storage.encoding import Encoding, decode
from apiserver.storage.keys import resource_prefix
from apiserver.storage.store import Stored


class Resource:
    """One version of a resource."""

    __slots__ = ("alone", "cache", "encoding", "home", "kind", "prefix")

    def __init__(self, kind: Kind, home: Resource | None = None, alone: bool = True) -> None:
        self.kind = kind
        self.encoding = Encoding(kind.api_version, kind.kind)
        self.home: Resource = home or self
        self.alone = alone
        """Whether there is no other version, so that every stored object is in this one."""
        self.prefix: bytes = home.prefix if home else resource_prefix(*kind.family)
        self.cache: Cache = home.cache if home else Cache(self.encoding, kind.strategy.fields, kind.strategy.revive)

    def key(self, namespace: str, name: str) -> str:
        """An object's key in the cache."""
        return f"{namespace}/{name}" if self.kind.namespaced else name

    def storage_key(self, namespace: str, name: str) -> bytes:
        """An object's key in etcd."""
        return self.prefix + self.key(namespace, name).encode()

    async def shown(self, raws: Sequence[bytes]) -> Sequence[bytes]:
        """Cached objects' wire bytes in this version. Raises StatusError when a webhook that converts them fails."""
        head = self.encoding.head
        if self.alone or all(raw.startswith(head) for raw in raws):
            return raws
        if self.kind.convert is None:
            return [self.encoding.renamed(raw) for raw in raws]
        other = [index for index, raw in enumerate(raws) if not raw.startswith(head)]
        objects = await self.kind.convert([orjson.loads(raws[index]) for index in other], self.kind.api_version)
        shown = list(raws)
        for index, obj in zip(other, objects, strict=True):
            shown[index] = self.wire(obj, int(obj["metadata"]["resourceVersion"]))
        return shown

    async def show(self, raw: bytes) -> bytes:
        """One cached object's wire bytes in this version."""
        return raw if self.alone else (await self.shown([raw]))[0]

    async def decode(self, stored: Stored | None) -> Object | None:
        """An object from etcd in this version: a fresh dict."""
        if stored is None:
            return None
        if self.alone:
            return decode(stored.value, stored.revision)
        obj: Object = orjson.loads(await self.show(self.home.encoding.wire(stored.value, stored.revision)))
        return obj

    async def stored(self, obj: Object) -> bytes:
        """The bytes to keep of an object of this version."""
        if self.home is self or self.kind.convert is None:
            return self.home.encoding.store(obj)
        (kept,) = await self.kind.convert([obj], self.home.kind.api_version)
        return self.home.encoding.store(kept)

    def writing(self, namespace: str, name: str, stored: bytes, obj: Object) -> AbstractContextManager[None]:
        """A context for the write of an object of this version, so that the cache need not decode it again."""
        return self.cache.writing(self.key(namespace, name), stored, obj) if self.alone else nullcontext()

    def wire(self, obj: Object, revision: int) -> bytes:
        """The wire bytes of an object of this version."""
        return self.encoding.wire(self.encoding.store(obj), revision)


def versions(kinds: Sequence[Kind]) -> list[Resource]:
    """The resources of one family: the home first, which need not be served."""
    (kept,) = (kind for kind in kinds if kind.kept)
    alone = len(kinds) == 1
    home = Resource(kept, alone=alone)
    return [home, *(Resource(kind, home, alone) for kind in kinds if kind is not kept)]


class Catalog:
    """What is served, by group, version and plural."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.generation = 0
        """Grows with each change; what was derived from the catalog is then out of date."""
        self._followers: set[Callable[[], None]] = set()
        self._served: dict[tuple[str, str, str], Resource] = {}
        self._families: dict[tuple[str, str], list[Resource]] = {}
        families: dict[tuple[str, str], list[Kind]] = {}
        for kind in kinds:
            families.setdefault(kind.family, []).append(kind)
        for family in families.values():
            self.put(versions(family))

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._served.get((group, version, plural))

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._served.values())

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(resource.kind for resource in self._served.values())

    @property
    def homes(self) -> Iterator[Resource]:
        """Each place in storage once."""
        return (family[0] for family in self._families.values())

    def family(self, group: str, plural: str) -> Sequence[Resource]:
        """All versions of a resource, its home first; nothing if there is no such resource."""
        return self._families.get((group, plural), ())

    def put(self, resources: Sequence[Resource]) -> None:
        """Serve the versions of one resource, in place of those it had."""
        family = resources[0].kind.family
        self.remove(*family)
        self._families[family] = list(resources)
        for each in resources:
            if each.kind.served:
                self._served[each.kind.group, each.kind.version, each.kind.plural] = each
        self._grow()

    def remove(self, group: str, plural: str) -> None:
        """Serve a resource no more, in any version."""
        for each in self._families.pop((group, plural), ()):
            self._served.pop((each.kind.group, each.kind.version, each.kind.plural), None)
            self._grow()

    def _grow(self) -> None:
        self.generation += 1
        for follow in self._followers:
            follow()

    @contextmanager
    def telling(self, follow: Callable[[], None]) -> Iterator[None]:
        """Call `follow` after each change, for a while."""
        self._followers.add(follow)
        try:
            yield
        finally:
            self._followers.discard(follow)
