from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubectl import durations
from kubectl.errors import CliError


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (10799, "179m"),
        (10800, "3h"),
        (11000, "3h3m"),
        (28800, "8h"),
        (172799, "47h"),
        (172800, "2d"),
        (180000, "2d2h"),
        (691200, "8d"),
        (63071999, "729d"),
        (63072000, "2y"),
        (63072000 + 86400, "2y1d"),
        (252288000, "8y"),
        (-1, "0s"),
        (-5, "<invalid>"),
    ],
)
def test_spans_are_written_as_kubectl_writes_them(seconds: int, text: str) -> None:
    assert durations.human(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("0", 0), ("15", 15), ("100ms", 0.1), ("-1s", -1)]
)
def test_spans_are_read(text: str, seconds: float) -> None:
    assert durations.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 m", "1x", "m5"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(CliError, match="invalid duration"):
        durations.parse(text)


def test_ages_count_from_a_moment() -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    assert durations.age("2026-11-22T11:55:00Z", now) == "5m"
    assert durations.age(None, now) == "<unknown>"
