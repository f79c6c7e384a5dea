"""What follows from all objects of a resource, made anew only when one of them has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakKeyDictionary

from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.endpoints.state import State
    from apiserver.storage.cache import Cache

T = TypeVar("T")


class Remembered(Generic[T]):
    """`make` is given all objects, in the order of their names."""

    def __init__(self, plural: str, group: str, make: Callable[[list[Object]], T]) -> None:
        self._plural = plural
        self._group = group
        self._make = make
        self._known: WeakKeyDictionary[Cache, tuple[int, T]] = WeakKeyDictionary()

    def of(self, state: State) -> T:
        cache = state.resource(self._plural, self._group).cache
        known = self._known.get(cache)
        if known is None or known[0] != cache.revision:
            objects = [entry.decode() for entry in cache.select("", None)]
            known = self._known[cache] = cache.revision, self._make(objects)
        return known[1]
