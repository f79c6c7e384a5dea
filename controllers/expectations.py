"""What a controller has asked for and its informer has not yet shown it.

A controller decides from a cache that lags behind its own writes. Deciding again before the cache has caught up would
make a pod too many or delete one too many. So each write is noted here first, by exact name or uid, and struck off when
the informer brings it; until nothing is open the controller waits. Names rather than counts: an unrelated pod that is
adopted meanwhile strikes off nothing.

A create whose answer was lost may or may not have happened. Its name is kept as doubtful and used again for the next
pod: if it did happen the API server says so, and there is still one pod.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

LIFETIME = 300.0
"""Seconds until an expectation is given up: an object made and removed while the watch was down is never shown."""


@dataclass
class Open:
    """What one key waits for."""

    since: float
    creations: set[str] = field(default_factory=set)
    deletions: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)

    @property
    def waiting(self) -> bool:
        return bool(self.creations or self.deletions)


class Expectations:
    """Open writes by controller key: creations by name, deletions by uid. Times are seconds of any one clock."""

    def __init__(self, lifetime: float = LIFETIME) -> None:
        self._lifetime = lifetime
        self._open: dict[str, Open] = {}

    def expect_creations(self, key: str, names: Iterable[str], now: float) -> None:
        entry = self._entry(key, now)
        entry.creations.update(names)
        entry.doubtful.difference_update(entry.creations)

    def expect_deletions(self, key: str, uids: Iterable[str], now: float) -> None:
        self._entry(key, now).deletions.update(uids)

    def created(self, key: str, name: str) -> None:
        """The informer shows it, or it failed for certain."""
        if entry := self._open.get(key):
            entry.creations.discard(name)
            entry.doubtful.discard(name)
            self._close(key, entry)

    def deleted(self, key: str, uid: str) -> None:
        if entry := self._open.get(key):
            entry.deletions.discard(uid)
            self._close(key, entry)

    def in_doubt(self, key: str, name: str) -> None:
        """The answer to this create was lost."""
        entry = self._open.get(key)
        if entry and name in entry.creations:
            entry.creations.discard(name)
            entry.doubtful.add(name)

    def doubtful(self, key: str) -> list[str]:
        entry = self._open.get(key)
        return sorted(entry.doubtful) if entry else []

    def wait(self, key: str, now: float) -> float:
        """Seconds to wait for the informer at most; 0 when the cache shows all that was written."""
        entry = self._open.get(key)
        if entry is None or not entry.waiting:
            return 0.0
        left = entry.since + self._lifetime - now
        if left > 0:
            return left
        entry.creations.clear()
        entry.deletions.clear()
        self._close(key, entry)
        return 0.0

    def forget(self, key: str) -> None:
        """The controller's object is gone."""
        self._open.pop(key, None)

    def _entry(self, key: str, now: float) -> Open:
        entry = self._open.setdefault(key, Open(now))
        entry.since = now
        return entry

    def _close(self, key: str, entry: Open) -> None:
        if not entry.waiting and not entry.doubtful:
            del self._open[key]
