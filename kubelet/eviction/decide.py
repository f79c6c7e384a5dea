"""One look at a node that may run short: what its conditions are, whether something can be freed, which pod ends.

Pure. The rules are Kubernetes': a hard threshold acts at once, a soft one once it has been crossed for its grace; a
condition lasts until its threshold has not been crossed for the transition period; memory before everything else; one
pod at a time, and none that is critical.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kubelet.eviction.thresholds import CONDITION, Threshold, spoken
from kubelet.eviction.use import PodUse, is_critical, offenders, ranked

HARD_GRACE = 1.0
"""Seconds that a pod gets which a hard threshold ends."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What is left of a signal's resource, of how much."""

    available: int
    capacity: int


Observations = Mapping[str, Observation]


@dataclass(frozen=True)
class Settings:
    thresholds: Sequence[Threshold] = ()
    transition_period: float = 300.0
    max_pod_grace: float = 0.0


@dataclass(frozen=True)
class History:
    """What one look leaves to the next."""

    crossed_since: Mapping[Threshold, float] = field(default_factory=dict)
    acting: tuple[Threshold, ...] = ()
    """The thresholds whose grace is over, until what they ask to reclaim is reclaimed."""
    seen_at: Mapping[str, float] = field(default_factory=dict)
    """When each condition was last seen to hold."""


@dataclass(frozen=True)
class Evict:
    """End this pod: it gets `grace` seconds. `disruption` is whether its status tells of a disruption."""

    use: PodUse
    message: str
    grace: float
    signal: str
    disruption: bool = True


@dataclass(frozen=True)
class Look:
    history: History
    conditions: frozenset[str]
    short: Threshold | None = None
    """What has to be acted upon: first by freeing what nobody uses, then by `victim`."""


def look(seen: Observations, settings: Settings, before: History, now: float) -> Look:
    """What the node's conditions are now, and which threshold asks for an act."""
    crossed = [each for each in settings.thresholds if _crossed(each, seen)]
    crossed += [each for each in before.acting if each not in crossed and _crossed(each, seen, reclaiming=True)]
    since = {each: before.crossed_since.get(each, now) for each in crossed}
    seen_at = {**before.seen_at, **{CONDITION[each.signal]: now for each in crossed}}
    # A condition that was not seen for the transition period is forgotten.
    holding = {kind: at for kind, at in seen_at.items() if now - at < settings.transition_period or _now(kind, crossed)}
    acting = tuple(each for each in crossed if now - since[each] >= each.grace)
    urgent = sorted(acting, key=lambda each: each.resource != "memory")
    return Look(History(since, acting, holding), frozenset(holding), urgent[0] if urgent else None)


def _now(kind: str, crossed: Iterable[Threshold]) -> bool:
    return any(CONDITION[each.signal] == kind for each in crossed)


def _crossed(threshold: Threshold, seen: Observations, *, reclaiming: bool = False) -> bool:
    found = seen.get(threshold.signal)
    return found is not None and threshold.crossed(found.available, found.capacity, reclaiming=reclaiming)


def relieved(seen: Observations, settings: Settings) -> bool:
    """Whether freeing what nobody uses was enough."""
    return not any(_crossed(each, seen, reclaiming=True) for each in settings.thresholds)


def to_free(short: Threshold, seen: Observations) -> int:
    """How many bytes of disk end the shortage; of inodes nobody knows, so all that can be freed."""
    found = seen[short.signal]
    line = short.value.of(found.capacity) + (short.reclaim.of(found.capacity) if short.reclaim is not None else 0)
    return int(line - found.available) + 1 if short.resource == "ephemeral-storage" else 1 << 62


def victim(short: Threshold, pods: Iterable[PodUse], seen: Observations, settings: Settings) -> Evict | None:
    """The one pod to end, or None if none may be."""
    candidates = [each for each in pods if not is_critical(each.pod)]
    order = ranked(candidates, short.resource)
    if not order:
        return None
    grace = HARD_GRACE if short.hard else settings.max_pod_grace
    return Evict(order[0], _message(short, order[0], seen), grace, short.signal)


def _message(short: Threshold, use: PodUse, seen: Observations) -> str:
    found = seen[short.signal]
    quantity, left = short.value.spoken(short.signal, found.capacity), spoken(short.signal, found.available)
    return (
        f"The node was low on resource: {short.resource}. Threshold quantity: {quantity}, available: {left}. "
        f"{offenders(use, short.resource)}"
    )
