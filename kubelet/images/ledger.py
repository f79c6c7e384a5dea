"""Which images this kubelet brought to the engine, by which names, and when each was last in use; kept in a file, so
that a restart forgets nothing.

The engine may be shared: what others pulled, built or loaded is theirs, and is not in here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from kubelet.images import kept


class Entry(msgspec.Struct):
    """Times are seconds since the epoch."""

    names: list[str]
    since: float
    used: float = 0.0


class Ledger:
    def __init__(self, file: Path) -> None:
        self._file = file
        # With a file that can't be read nothing is ours, and nothing is removed: the safe side.
        self.entries = kept.read(file, dict[str, Entry]) or {}
        """By image id."""

    def brought(self, image_id: str, name: str, now: float) -> None:
        """An image that was not there before came by our doing."""
        entry = self.entries.setdefault(image_id, Entry([], now))
        if name not in entry.names:
            entry.names.append(name)
        self._write()

    def keep(self, present: Iterable[str], used: Iterable[str], now: float) -> None:
        """Forget what is gone, and note what is in use."""
        there = set(present)
        self.entries = {image_id: entry for image_id, entry in self.entries.items() if image_id in there}
        for image_id in used:
            if image_id in self.entries:
                self.entries[image_id].used = now
        self._write()

    def removed(self, image_id: str) -> None:
        self.entries.pop(image_id, None)
        self._write()

    def _write(self) -> None:
        kept.write(self._file, self.entries)
