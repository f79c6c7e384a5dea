"""How long to wait before the next try: 10 s doubling to 5 min, forgotten after 10 min of peace.

The rule is Kubernetes': the first restart is immediate, and each later one waits, counted from when the container
ended.
"""

from __future__ import annotations

from dataclasses import dataclass

INITIAL = 10.0
LONGEST = 300.0
FORGET_AFTER = 2 * LONGEST


@dataclass(frozen=True, slots=True)
class Backoff:
    """`delay` to wait after what ended at `since`, before the try that follows it."""

    delay: float
    since: float

    def ready_at(self, ended: float) -> float:
        """When a container that ended at `ended` may start again."""
        if self._forgotten(ended):
            return ended
        return ended + self.delay

    def next(self, ended: float) -> Backoff:
        """The back-off after one more try of what ended at `ended`."""
        if self._forgotten(ended):
            return Backoff(INITIAL, ended)
        return Backoff(min(self.delay * 2, LONGEST), ended)

    def _forgotten(self, ended: float) -> bool:
        return ended - self.since > FORGET_AFTER


def ready_at(backoff: Backoff | None, ended: float) -> float:
    return backoff.ready_at(ended) if backoff else ended


def after_try(backoff: Backoff | None, ended: float) -> Backoff:
    return backoff.next(ended) if backoff else Backoff(INITIAL, ended)
