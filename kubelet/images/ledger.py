"""Which images this kubelet brought to the engine, by which names, and when each was last in use; kept in a file, so
that a restart forgets nothing.

The engine may be shared: what others pulled, built or loaded is theirs, and is not in here.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from daemon.log import logger

log = logger(__name__)


class Entry(msgspec.Struct):
    """Times are seconds since the epoch."""

    names: list[str]
    since: float
    used: float = 0.0


class Ledger:
    def __init__(self, file: Path) -> None:
        self._file = file
        self.entries: dict[str, Entry] = self._read()
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

    def _read(self) -> dict[str, Entry]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Entry])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            # Nothing is ours then, and nothing is removed: the safe side.
            log.warning("the list of pulled images can't be read", file=str(self._file), error=str(error))
            return {}

    def _write(self) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(self.entries))
            os.replace(fresh, self._file)
        except OSError as error:
            log.warning("the list of pulled images can't be written", file=str(self._file), error=str(error))
            with contextlib.suppress(OSError):
                fresh.unlink()
