"""Which pods end when, as the machine goes down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import core_v1, meta_v1
from daemon.fatal import Fatal
from kubelet.shutdown.plan import SYSTEM_CRITICAL, Period, groups, periods, requested


def pod(name: str, priority: int | None) -> core_v1.Pod:
    spec = core_v1.PodSpec(containers=[], priority=priority)
    return core_v1.Pod(metadata=meta_v1.ObjectMeta(name=name, uid=name), spec=spec)


def names(given: tuple[Period, ...], *pods: core_v1.Pod) -> list[tuple[int, list[str]]]:
    return [
        (group.period.priority, [each.metadata.name or "" for each in group.pods if each.metadata is not None])
        for group in groups(given, pods)
    ]


def test_critical_pods_end_last_in_the_time_that_is_kept_for_them() -> None:
    given = periods(30, 10, ())
    assert given == (Period(0, 20), Period(SYSTEM_CRITICAL, 10))
    assert requested(given) == 30
    pods = (pod("dns", SYSTEM_CRITICAL), pod("web", None), pod("job", -5), pod("node", SYSTEM_CRITICAL + 1000))
    assert names(given, *pods) == [(0, ["web", "job"]), (SYSTEM_CRITICAL, ["dns", "node"])]


def test_periods_by_priority() -> None:
    given = periods(0, 0, ("10000=20", "0=60", "1000=30"))
    assert given == (Period(0, 60), Period(1000, 30), Period(10000, 20))
    pods = (pod("a", 999), pod("b", 1000), pod("c", 9999), pod("d", 100_000), pod("e", -1))
    assert names(given, *pods) == [(0, ["a", "e"]), (1000, ["b", "c"]), (10000, ["d"])]


def test_nothing_is_asked_for_by_default() -> None:
    assert periods(0, 0, ()) == ()


@pytest.mark.parametrize(
    ("total", "critical", "by_priority", "why"),
    [
        (10, 20, (), "must not be longer"),
        (10, 0, ("0=5",), "can't be set both"),
        (0, 0, ("zero=5",), "priority=seconds is wanted"),
    ],
)
def test_what_makes_no_sense_is_refused(total: float, critical: float, by_priority: tuple[str, ...], why: str) -> None:
    with pytest.raises(Fatal, match=why):
        periods(total, critical, by_priority)


@given(
    st.lists(st.integers(-100, 100), min_size=1, max_size=5, unique=True),
    st.lists(st.integers(-200, 200), max_size=20),
)
def test_every_pod_is_in_one_group_and_less_important_ones_end_first(steps: list[int], priorities: list[int]) -> None:
    given = tuple(sorted(Period(each, 1) for each in steps))
    found = groups(given, [pod(str(number), each) for number, each in enumerate(priorities)])
    ended = [each.spec.priority or 0 for group in found for each in group.pods if each.spec is not None]
    assert sorted(ended) == sorted(priorities)
    tops = [max(each.spec.priority or 0 for each in group.pods if each.spec is not None) for group in found]
    assert tops == sorted(tops)
