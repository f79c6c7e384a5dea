"""A controller's own last writes, until its informer shows them.

Right after a write the cache still holds the state before it. Deciding from that would only end in a conflict, or in a
second object; so the answer of the write stands in for the cached object until the cache is as new.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from controllers import objects

T = TypeVar("T", bound=objects.Object)


def version(text: str | None) -> int:
    """A resourceVersion as a number: later writes have higher ones."""
    return int(text) if text and text.isdigit() else 0


def version_of(obj: objects.Object) -> int:
    return version(objects.meta(obj).resourceVersion)


class Latest(Generic[T]):
    """By uid. A `scope` (the key of what they belong to) lets `all` find those that the cache does not know at all."""

    def __init__(self) -> None:
        self._written: dict[str, T] = {}
        self._scopes: dict[str, set[str]] = {}
        self._removed: set[str] = set()

    def wrote(self, obj: T, scope: str = "") -> T:
        self._written[objects.uid(obj)] = obj
        if scope:
            self._scopes.setdefault(scope, set()).add(objects.uid(obj))
        return obj

    def removed(self, obj: T) -> None:
        self._written.pop(objects.uid(obj), None)
        self._removed.add(objects.uid(obj))

    def newest(self, cached: T) -> T:
        """The cached object, or what was written since."""
        written = self._written.get(objects.uid(cached))
        if written is None:
            return cached
        if version_of(written) > version_of(cached):
            return written
        del self._written[objects.uid(cached)]
        return cached

    def all(self, scope: str, cached: Iterable[T], seen: str) -> list[T]:
        """The objects of a scope at their newest, those made since included. `seen` is how far the cache is."""
        listed = list(cached)
        unseen = self._scopes.get(scope, set())
        unseen -= {objects.uid(item) for item in listed}
        found = [self.newest(item) for item in listed if objects.uid(item) not in self._removed]
        for uid in tuple(unseen):
            item = self._written.get(uid)
            if item is not None and version_of(item) > version(seen):
                found.append(item)
            else:  # it came and went without this cache
                self._written.pop(uid, None)
                unseen.discard(uid)
        if not unseen:
            self._scopes.pop(scope, None)
        return found

    def forget(self, obj: T) -> None:
        """The cache says that it is gone."""
        self._written.pop(objects.uid(obj), None)
        self._removed.discard(objects.uid(obj))
