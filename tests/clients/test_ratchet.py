"""The ratchet itself: what it complains of, and what an update keeps."""

from __future__ import annotations

from tests.clients.foreign.ratchet import Outcome, Ratchet

PASSED, FAILED = Outcome(), Outcome("boom")


def said(ratchet: Ratchet, seen: dict[str, Outcome]) -> list[str]:
    return [problem.splitlines()[0] for problem in ratchet.problems(seen)]


def test_nothing_to_say() -> None:
    assert said(Ratchet({"a"}, {"b": "no such kind"}), {"a": PASSED, "b": FAILED}) == []


def test_every_difference_is_told() -> None:
    ratchet = Ratchet({"lost", "gone"}, {"won": "hard", "vague": "", "away": "hard"})
    assert said(ratchet, {"lost": FAILED, "won": PASSED, "vague": FAILED, "new": PASSED, "unknown": FAILED}) == [
        "gone: is listed as passing and did not run",
        "away: is listed as failing and did not run",
        "lost: is listed as passing and failed:",
        "new: passes; add it to `passes`",
        "unknown: fails, and `fails` gives no reason:",
        "vague: fails, and `fails` gives no reason:",
        "won: passes; add it to `passes` and take it from `fails`",
    ]


def test_an_update_keeps_the_reasons() -> None:
    updated = Ratchet({"a"}, {"b": "hard", "c": "hard"}).updated({"a": FAILED, "b": FAILED, "c": PASSED})
    assert updated == Ratchet({"c"}, {"a": "", "b": "hard"})
