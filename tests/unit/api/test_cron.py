"""Schedules: what they mean, and in which words the others are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import cron
from api.cron import Every, Schedule, ScheduleError, parse

ALL = (range(60), range(24), range(1, 32), range(1, 13), range(7))


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("0 * * * *", "minutes", {0}),
        ("*/20 * * * *", "minutes", {0, 20, 40}),
        ("5/20 * * * *", "minutes", {5, 25, 45}),
        ("1-7/3 * * * *", "minutes", {1, 4, 7}),
        ("1,2,,59 * * * *", "minutes", {1, 2, 59}),
        ("0 0 1 JAN,mar-May *", "months", {1, 3, 4, 5}),
        ("0 0 * * Sun,2-4", "weekdays", {0, 2, 3, 4}),
        ("? ? ? ? ?", "hours", set(range(24))),
        ("@weekly", "weekdays", {0}),
        ("@hourly", "minutes", {0}),
        ("TZ=Europe/Berlin 7 * * * *", "minutes", {7}),
    ],
)
def test_fields(text: str, field: str, values: set[int]) -> None:
    assert getattr(parse(text), field) == values


def test_stars_are_told_from_lists_of_all() -> None:
    parsed = [parse(text) for text in ("0 0 * * 1", "0 0 1-31 * *", "0 0 */2 * *")]
    assert [(each.any_day, each.any_weekday) for each in parsed if isinstance(each, Schedule)] == [
        (True, False),
        (False, True),
        (False, True),
    ]


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5400), ("90s", 90), ("1.5m", 90), ("10ms", 1), ("1h.5m1s", 3631), ("3.s", 3)]
)
def test_every(text: str, seconds: int) -> None:
    assert parse(f"@every {text}") == Every(seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("*/-1 * * * *", "negative number (-1) not allowed: -1"),
        ("@never", "unrecognized descriptor: @never"),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse(text)
    assert str(refused.value) == why


@given(st.lists(st.text("0123456789*/-,?", min_size=1, max_size=6), min_size=5, max_size=5).map(" ".join))
def test_whatever_is_taken_lies_within_its_bounds(text: str) -> None:
    try:
        found = cron.parse(text)
    except ScheduleError:
        return
    assert isinstance(found, Schedule)
    fields = (found.minutes, found.hours, found.days, found.months, found.weekdays)
    assert all(values <= set(bounds) for values, bounds in zip(fields, ALL, strict=True))
