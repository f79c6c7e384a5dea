"""Which images go when the disk is full, or when nobody has used them for long: a pure decision.

The rule is Kubernetes': above the high threshold, the least recently used go until the low one is reached; what is
younger than the minimum age stays. Beside that only what the kubelet itself has brought is considered, and only while
all its names are those it came by: an image that somebody else has tagged is somebody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kubelet.images.ledger import Entry


@dataclass(frozen=True, slots=True)
class Present:
    """An image as the engine lists it."""

    id: str
    names: tuple[str, ...]
    """Its tags."""
    size: int
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """Percent of the file system, and seconds. `maximum_age` 0 is none."""

    high: int = 85
    low: int = 80
    minimum_age: float = 120.0
    maximum_age: float = 0.0


def candidates(
    images: Iterable[Present], ledger: Mapping[str, Entry], used: Collection[str], policy: Policy, now: float
) -> list[Present]:
    """Those that may go, the least recently used first. `used` has the ids of every container's image."""
    free = [
        each
        for each in images
        if each.id in ledger
        and each.id not in used
        and set(each.names) <= set(ledger[each.id].names)
        and now - ledger[each.id].since >= policy.minimum_age
    ]
    return sorted(free, key=lambda each: (ledger[each.id].used, ledger[each.id].since, each.id))


def too_old(found: Iterable[Present], ledger: Mapping[str, Entry], policy: Policy, now: float) -> list[Present]:
    """Those of the candidates that nobody has used for longer than the maximum age."""
    if not policy.maximum_age:
        return []
    return [each for each in found if now - max(ledger[each.id].used, ledger[each.id].since) > policy.maximum_age]


def excess(capacity: int, available: int, policy: Policy) -> int:
    """The bytes to free so that usage falls to the low threshold; 0 below the high one."""
    if capacity <= 0:
        return 0
    percent = 100 - available * 100 // capacity
    if percent < policy.high:
        return 0
    return max(capacity * (100 - policy.low) // 100 - available, 0)
