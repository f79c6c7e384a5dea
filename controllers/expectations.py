"""What a controller has asked for and its informer has not yet shown it.

A controller decides from a cache that lags behind its own writes. Deciding again before the cache has caught up would
make a pod too many or delete one too many. So each write is noted here first, by exact name or uid, and struck off when
the informer brings it; until nothing is open the controller waits. Names rather than counts: an unrelated pod that is
adopted meanwhile strikes off nothing.

A write whose answer was lost may or may not have happened. It is kept as doubtful and simply done again: the same name
cannot be made twice, and the same pod cannot be deleted twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

LIFETIME = 300.0
"""Seconds until an expectation is given up: an object made and removed while the watch was down is never shown."""


@dataclass
class _Writes:
    open: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)

    def expect(self, items: Iterable[str]) -> None:
        added = set(items)
        self.open |= added
        self.doubtful -= added

    def settle(self, item: str) -> None:
        self.open.discard(item)
        self.doubtful.discard(item)

    def doubt(self, item: str) -> None:
        # Settled in the meantime: the informer was faster than the failure.
        if item in self.open:
            self.open.discard(item)
            self.doubtful.add(item)


@dataclass
class _Entry:
    since: float
    creations: _Writes = field(default_factory=_Writes)
    deletions: _Writes = field(default_factory=_Writes)


class Expectations:
    """Open writes by the owner's uid: creations by name, deletions by uid. Times are seconds of any one clock."""

    def __init__(self, lifetime: float = LIFETIME) -> None:
        self._lifetime = lifetime
        self._entries: dict[str, _Entry] = {}

    def expect_creations(self, owner: str, names: Iterable[str], now: float) -> None:
        self._entry(owner, now).creations.expect(names)

    def expect_deletions(self, owner: str, uids: Iterable[str], now: float) -> None:
        self._entry(owner, now).deletions.expect(uids)

    def created(self, owner: str, name: str) -> None:
        """The informer shows it, or it failed for certain."""
        if entry := self._entries.get(owner):
            entry.creations.settle(name)

    def deleted(self, owner: str, uid: str) -> None:
        if entry := self._entries.get(owner):
            entry.deletions.settle(uid)

    def creation_in_doubt(self, owner: str, name: str) -> None:
        if entry := self._entries.get(owner):
            entry.creations.doubt(name)

    def deletion_in_doubt(self, owner: str, uid: str) -> None:
        if entry := self._entries.get(owner):
            entry.deletions.doubt(uid)

    def doubtful_creations(self, owner: str) -> list[str]:
        entry = self._entries.get(owner)
        return sorted(entry.creations.doubtful) if entry else []

    def doubtful_deletions(self, owner: str) -> frozenset[str]:
        entry = self._entries.get(owner)
        return frozenset(entry.deletions.doubtful) if entry else frozenset()

    def wait(self, owner: str, now: float) -> float:
        """Seconds to wait for the informer at most; 0 when the cache shows all that was written."""
        entry = self._entries.get(owner)
        if entry is None or not (entry.creations.open or entry.deletions.open):
            return 0.0
        left = entry.since + self._lifetime - now
        if left > 0:
            return left
        del self._entries[owner]
        return 0.0

    def forget(self, owner: str) -> None:
        """The owner is gone."""
        self._entries.pop(owner, None)

    def _entry(self, owner: str, now: float) -> _Entry:
        entry = self._entries.setdefault(owner, _Entry(now))
        entry.since = now
        return entry
