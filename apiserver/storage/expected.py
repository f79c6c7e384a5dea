"""What this server is writing, so that a cache need not decode it again when etcd tells of it.

Most of what etcd tells a server is the server's own writes. Who writes says beforehand which bytes, and what the cache
keeps of them; an event with just these bytes is taken at its word. The revision is not known beforehand, as the event
may come before the answer; but the same bytes say the same. What others wrote, or what was announced and not written,
is decoded like all else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple

LIMIT = 256
"""Announced writes that etcd has not told of. Beyond, it is silent: they are forgotten, and decoded when it speaks."""


class Facts(NamedTuple):
    """What a cache keeps of an object beside its bytes."""

    labels: Mapping[str, str]
    fields: Mapping[str, str]
    terminating: bool


class Expected:
    """The writes under way of one resource, by the objects' keys."""

    def __init__(self) -> None:
        self._writes: dict[str, tuple[bytes, Facts]] = {}

    def __len__(self) -> int:
        return len(self._writes)

    def add(self, key: str, stored: bytes, facts: Facts) -> None:
        if len(self._writes) >= LIMIT:
            self._writes.clear()
        self._writes[key] = (stored, facts)

    def take(self, key: str, stored: bytes) -> Facts | None:
        """What was announced of an object with these bytes."""
        found = self._writes.get(key)
        if found is None or found[0] != stored:
            return None
        del self._writes[key]
        return found[1]

    def drop(self, key: str, stored: bytes) -> None:
        """The write has failed. Another one of the same key stays."""
        found = self._writes.get(key)
        if found is not None and found[0] is stored:
            del self._writes[key]

    def clear(self) -> None:
        self._writes.clear()


class Writing:
    """A context: the write of an object, expected until its event comes or the write fails."""

    __slots__ = ("_expected", "_facts", "_key", "_stored")

    def __init__(self, expected: Expected, key: str, stored: bytes, facts: Facts) -> None:
        self._expected = expected
        self._key = key
        self._stored = stored
        self._facts = facts

    def __enter__(self) -> None:
        self._expected.add(self._key, self._stored, self._facts)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._expected.drop(self._key, self._stored)
