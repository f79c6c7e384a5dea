"""Schedules as CronJobs write them: five fields, or a word with an `@`; read exactly as Kubernetes reads them.

The messages are those people know from there. What a schedule's times are is for whoever runs it to work out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from api.field import quote


class ScheduleError(ValueError):
    """A text that is no schedule; the message is the API's."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The minutes, hours, … at which something is due. `any_day` and `any_weekday` say that the field was a star: when
    neither is, a day that fits either of the two will do.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    any_day: bool = False
    any_weekday: bool = False


@dataclass(frozen=True, slots=True)
class Every:
    """`@every 1h30m`: at a fixed distance."""

    seconds: int


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: int
    high: int
    names: Mapping[str, int]


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Bounds(0, 59, {}),
    _Bounds(0, 23, {}),
    _Bounds(1, 31, {}),
    _Bounds(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Bounds(0, 6, {name: number for number, name in enumerate(_WEEKDAYS)}),
)
_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}
_NANOSECONDS["h"] = 60 * _NANOSECONDS["m"]


def parse(text: str) -> Schedule | Every:
    """Raises ScheduleError. A time zone in front (`TZ=…`) is not looked at."""
    if not text:
        raise ScheduleError("empty spec string")
    if text.startswith(("TZ=", "CRON_TZ=")):
        text = text.partition(" ")[2].strip()
    if text.startswith(_EVERY):
        return _every(text.removeprefix(_EVERY))
    if text.startswith("@"):
        if text not in _WORDS:
            raise ScheduleError(f"unrecognized descriptor: {text}")
        text = _WORDS[text]
    fields = text.split()
    if len(fields) != len(_FIELDS):
        shown = " ".join(fields)
        raise ScheduleError(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{shown}]")
    parts = (_field(field, bounds) for field, bounds in zip(fields, _FIELDS, strict=True))
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = parts
    return Schedule(minutes, hours, days, months, weekdays, any_day, any_weekday)


def _field(text: str, bounds: _Bounds) -> tuple[frozenset[int], bool]:
    """(the values, whether one of the parts is a star with no step)."""
    values: set[int] = set()
    star = False
    for part in filter(None, text.split(",")):
        found, every = _range(part, bounds)
        values.update(found)
        star = star or every
    return frozenset(values), star


def _range(text: str, bounds: _Bounds) -> tuple[range, bool]:
    span, *steps = text.split("/")
    first, *others = span.split("-")
    star = first in ("*", "?")
    if star:
        low, high = bounds.low, bounds.high
    else:
        low = _value(first, bounds.names)
        if len(others) > 1:
            raise ScheduleError(f"too many hyphens: {text}")
        high = _value(others[0], bounds.names) if others else low
    step = 1
    if len(steps) > 1:
        raise ScheduleError(f"too many slashes: {text}")
    if steps:
        step = _integer(steps[0])
        if not others:
            high = bounds.high  # `5/15` goes on to the end
    _check(low, high, step, bounds, text)
    return range(low, high + 1, step), star and step == 1


def _check(low: int, high: int, step: int, bounds: _Bounds, text: str) -> None:
    if low < bounds.low:
        raise ScheduleError(f"beginning of range ({low}) below minimum ({bounds.low}): {text}")
    if high > bounds.high:
        raise ScheduleError(f"end of range ({high}) above maximum ({bounds.high}): {text}")
    if low > high:
        raise ScheduleError(f"beginning of range ({low}) beyond end of range ({high}): {text}")
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {text}")


def _value(text: str, names: Mapping[str, int]) -> int:
    number = names.get(text.lower())
    return number if number is not None else _integer(text)


def _integer(text: str) -> int:
    if not _INTEGER.match(text):
        raise ScheduleError(f"failed to parse int from {text}: strconv.Atoi: parsing {quote(text)}: invalid syntax")
    if int(text) < 0:
        raise ScheduleError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)


def _every(text: str) -> Every:
    """A duration, in whole seconds and at least one."""
    total, at = Fraction(0), 0
    while match := _DURATION.match(text, at):
        total += Fraction(match[1].removesuffix(".") if match[1].endswith(".") else match[1]) * _NANOSECONDS[match[2]]
        at = match.end()
    if not text or at != len(text):
        why = f"time: invalid duration {quote(text)}"
        raise ScheduleError(f"failed to parse duration {_EVERY}{text}: {why}")
    return Every(max(1, int(total // 10**9)))
