"""An informer's memory: objects by key, and by whatever its consumers look them up by. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from api.metadata import key as key_of
from client.resources import KubeObject

T = TypeVar("T", bound=KubeObject)
Change = tuple[str, T | None, T | None]
"""(key, old, new): new is None for an object that went, old for one that came."""


class Store(Generic[T]):
    def __init__(self, indexers: Mapping[str, Callable[[T], Iterable[str]]]) -> None:
        self._objects: dict[str, T] = {}
        self._indexers = dict(indexers)
        self._indexes: dict[str, dict[str, dict[str, T]]] = {name: {} for name in indexers}

    def get(self, key: str) -> T | None:
        return self._objects.get(key)

    def items(self) -> list[T]:
        return list(self._objects.values())

    def keys(self) -> list[str]:
        return list(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def by_index(self, name: str, value: str) -> list[T]:
        """The objects which the indexer `name` gave `value` for. Raises KeyError for an index that was not declared."""
        return list(self._indexes[name].get(value, {}).values())

    def put(self, obj: T) -> Change[T] | None:
        """Keep the object. None when the store has this very version already."""
        key = key_of(obj)
        old = self._objects.get(key)
        if old is not None:
            if _version(old) == _version(obj):
                return None
            self._unindex(key, old)
        self._objects[key] = obj
        for name, indexer in self._indexers.items():
            index = self._indexes[name]
            for value in indexer(obj):
                index.setdefault(value, {})[key] = obj
        return key, old, obj

    def remove(self, key: str, last: T | None = None) -> Change[T] | None:
        """Forget the object. `last` is its last state, if known: that is what the consumers are told is gone."""
        old = self._objects.pop(key, None)
        if old is None:
            return None
        self._unindex(key, old)
        return key, last or old, None

    def replace(self, objects: Iterable[T]) -> list[Change[T]]:
        """Hold just these objects from now on; returns what that changed. A name with another uid is another object."""
        changes: list[Change[T]] = []
        seen = set()
        for obj in objects:
            key = key_of(obj)
            seen.add(key)
            old = self._objects.get(key)
            if old is not None and _uid(old) != _uid(obj) and (gone := self.remove(key)):
                changes.append(gone)
            if change := self.put(obj):
                changes.append(change)
        for key in self.keys():
            if key not in seen and (gone := self.remove(key)):
                changes.append(gone)
        return changes

    def _unindex(self, key: str, obj: T) -> None:
        for name, indexer in self._indexers.items():
            index = self._indexes[name]
            for value in indexer(obj):
                keys = index.get(value)
                if keys is not None:
                    keys.pop(key, None)
                    if not keys:
                        del index[value]


def _version(obj: KubeObject) -> str | None:
    return obj.metadata.resourceVersion if obj.metadata else None


def _uid(obj: KubeObject) -> str | None:
    return obj.metadata.uid if obj.metadata else None
