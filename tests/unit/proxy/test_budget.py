"""A storm of changes is slowed down, single changes never are."""

from __future__ import annotations

import pytest

from proxy.budget import Budget


def test_changes_now_and_then_never_wait() -> None:
    budget, now = Budget(), 100.0
    for _ in range(1000):
        now += 0.4
        assert budget.spend(0.065, now) == 0.0


def test_a_storm_takes_no_more_than_its_share() -> None:
    budget, now, busy = Budget(share=0.25, burst=1.5), 100.0, 0.0
    started = now
    while now - started < 100.0:
        now += 0.065
        busy += 0.065
        now += budget.spend(0.065, now)
    assert busy / (now - started) == pytest.approx(0.25, abs=0.03)


def test_nobody_waits_long() -> None:
    budget = Budget(longest=1.0)
    assert budget.spend(60.0, 100.0) == 1.0
