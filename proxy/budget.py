"""How often may the proxy write? At once in most lives, and in a storm of changes no more than a share of a core."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Budget:
    """Time spent is a debt that shrinks by `share` of the time that passes; up to `burst` of it nobody has to wait."""

    share: float = 0.25
    burst: float = 1.5
    """Seconds."""
    longest: float = 1.0
    """Seconds that a change waits at most."""
    debt: float = 0.0
    at: float = 0.0

    def spend(self, busy: float, now: float) -> float:
        """Count `busy` seconds that ended now; returns how long to pause."""
        self.debt = max(0.0, self.debt - (now - self.at) * self.share) + busy
        self.at = now
        return min(self.longest, max(0.0, (self.debt - self.burst) / self.share))
