"""Which pods end when, and how long they may take: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.types import core_v1
from daemon.fatal import Fatal

SYSTEM_CRITICAL = 2_000_000_000


@dataclass(frozen=True, order=True)
class Period:
    """Pods of this priority and up, as far as the next period, have so many seconds."""

    priority: int
    seconds: int


@dataclass(frozen=True)
class Group:
    """Pods that end at the same time."""

    period: Period
    pods: tuple[core_v1.Pod, ...]


def periods(total: float, critical: float, by_priority: Iterable[str]) -> tuple[Period, ...]:
    """From the options: those by priority (`priority=seconds`), or else the two of ordinary and of critical pods; the
    lowest first, none where shutdown is not graceful. Raises Fatal for what makes no sense."""
    given = tuple(sorted(_period(each) for each in by_priority))
    if given and (total or critical):
        raise Fatal("shutdownGracePeriodByPodPriority and shutdownGracePeriod can't be set both")
    if given:
        return given
    if critical > total:
        raise Fatal("shutdownGracePeriodCriticalPods must not be longer than shutdownGracePeriod")
    if not total:
        return ()
    return Period(0, int(total - critical)), Period(SYSTEM_CRITICAL, int(critical))


def _period(text: str) -> Period:
    priority, _, seconds = text.partition("=")
    try:
        return Period(int(priority), int(seconds))
    except ValueError as error:
        raise Fatal(f"invalid shutdown period {text!r}: priority=seconds is wanted") from error


def requested(periods: Iterable[Period]) -> int:
    """Seconds that all take together, one after the other."""
    return sum(each.seconds for each in periods)


def groups(periods: Sequence[Period], pods: Iterable[core_v1.Pod]) -> list[Group]:
    """The pods in the order in which they end: the least important first; periods without pods are left out."""
    found: dict[Period, list[core_v1.Pod]] = {period: [] for period in periods}
    for pod in pods:
        priority = (pod.spec.priority or 0) if pod.spec is not None else 0
        below = [each for each in periods if each.priority <= priority]
        found[below[-1] if below else periods[0]].append(pod)
    return [Group(period, tuple(members)) for period, members in found.items() if members]
