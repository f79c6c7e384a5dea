"""A controller's own last writes, until its informer shows them.

Right after a write the cache still holds the state before it. Deciding from that would only end in a conflict; so the
answer of the write stands in for the cached object until the cache is as new.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from controllers import objects

T = TypeVar("T", bound=objects.Object)


def version(obj: objects.Object) -> int:
    """A resourceVersion as a number: later writes have higher ones."""
    text = objects.meta(obj).resourceVersion or ""
    return int(text) if text.isdigit() else 0


class Latest(Generic[T]):
    def __init__(self) -> None:
        self._written: dict[str, T] = {}

    def wrote(self, obj: T) -> T:
        self._written[objects.uid(obj)] = obj
        return obj

    def newest(self, cached: T) -> T:
        """The cached object, or what was written since."""
        written = self._written.get(objects.uid(cached))
        if written is None:
            return cached
        if version(written) > version(cached):
            return written
        del self._written[objects.uid(cached)]
        return cached

    def forget(self, obj: T) -> None:
        self._written.pop(objects.uid(obj), None)
