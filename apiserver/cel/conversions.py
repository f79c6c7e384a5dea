"""CEL's standard conversions, sizes, text predicates, and the parts of times."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from apiserver.cel.functions import function, standard
from apiserver.cel.operators import to_duration, to_int, to_timestamp, to_uint
from apiserver.cel.values import NANO, CelError, Duration, Timestamp, TypeValue, Uint, type_name

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)\Z")
_SPAN = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": NANO, "m": 60 * NANO, "h": 3600 * NANO}
_BOOLS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


def parse_timestamp(text: str) -> Timestamp:
    """An RFC 3339 date and time. Raises CelError."""
    match = _TIMESTAMP.match(text)
    try:
        if match is None:
            raise ValueError
        zone = "+00:00" if match[4] in "Zz" else match[4]
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
    except ValueError as error:
        raise CelError(f'invalid timestamp "{text}"') from error
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return to_timestamp(seconds * NANO + int((match[3] or "0").ljust(9, "0")))


def parse_duration(text: str) -> Duration:
    """A span as Go writes it: `1h30m`, `-1.5s`, `0`. Raises CelError."""
    body = text[1:] if text[:1] in ("+", "-") else text
    parts = _SPAN.findall(body)
    if body != "0" and (not parts or "".join(number + unit for number, unit in parts) != body):
        raise CelError(f'invalid duration "{text}"')
    nanos = sum(_span(number, _UNITS[unit]) for number, unit in parts)
    return to_duration(-nanos if text[:1] == "-" else nanos)


def _span(number: str, unit: int) -> int:
    whole, _, fraction = number.partition(".")
    return int(whole or "0") * unit + int(int(fraction or "0") * unit // 10 ** len(fraction))


def show_double(number: float) -> str:
    """A double as CEL's `string()` writes it: the shortest text, no `.0`, an exponent only far from 1."""
    if math.isnan(number) or math.isinf(number):
        return "NaN" if math.isnan(number) else ("+Inf" if number > 0 else "-Inf")
    text = repr(number)
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.removesuffix(".0")
    if not exponent:
        return mantissa
    sign, digits = ("-" if exponent[0] == "-" else "+"), exponent.lstrip("+-")
    return f"{mantissa}e{sign}{digits.rjust(2, '0')}"


def _whole(number: float, limit: Callable[[int], int]) -> int:
    if math.isnan(number) or math.isinf(number):
        raise CelError("integer overflow")
    return limit(int(number))


def _parsed(text: str, pattern: str, limit: Callable[[int], int]) -> int:
    if not re.fullmatch(pattern, text, re.ASCII) or len(text) > 21:
        raise CelError(f'type conversion error: "{text}" is not a number')
    return limit(int(text))


def _double(text: str) -> float:
    try:
        if "_" in text or text != text.strip():
            raise ValueError
        return float(text)
    except ValueError as error:
        raise CelError(f'type conversion error: "{text}" is not a number') from error


def _bool(text: str) -> bool:
    if text not in _BOOLS:
        raise CelError(f'type conversion error: "{text}" is not a bool')
    return _BOOLS[text]


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from error


for _name, _convert in {"int": to_int, "uint": to_uint}.items():
    for _type in (int, Uint):
        standard(_name, _type)(lambda number, convert=_convert: convert(int(number)))
    standard(_name, float)(lambda number, convert=_convert: _whole(number, convert))
standard("int", str)(lambda text: _parsed(text, r"[+-]?\d+", to_int))
standard("uint", str)(lambda text: _parsed(text, r"\d+", to_uint))
standard("int", Timestamp)(lambda time: time.nanos // NANO)
standard("int", Duration)(lambda span: span.nanos)
standard("double", float)(lambda number: number)
standard("double", int)(float)
standard("double", Uint)(float)
standard("double", str)(_double)
function("string", "string(string)")(lambda text: text)
function("string", "string(bool)")(lambda value: "true" if value else "false")
function("string", "string(int)", "string(uint)", "string(timestamp)", "string(duration)")(str)
function("string", "string(double)")(show_double)
function("string", "string(bytes)")(_decoded)
standard("bytes", bytes)(lambda raw: raw)
standard("bytes", str)(lambda text: text.encode())
standard("bool", bool)(lambda value: value)
standard("bool", str)(_bool)
standard("timestamp", str)(parse_timestamp)
standard("timestamp", int)(lambda seconds: to_timestamp(seconds * NANO))
standard("timestamp", Timestamp)(lambda time: time)
standard("duration", str)(parse_duration)
standard("duration", int)(to_duration)
standard("duration", Duration)(lambda span: span)
standard("dyn", object)(lambda value: value)
standard("type", object)(lambda value: TypeValue(type_name(value)))

for _sized in (str, bytes, list, dict):
    standard("size", _sized)(len)
standard("contains", str, str)(lambda text, part: part in text)
standard("startsWith", str, str)(str.startswith)
standard("endsWith", str, str)(str.endswith)


@lru_cache(256)
def _zone(name: str) -> tzinfo:
    match = re.fullmatch(r"([+-]?)(\d\d):(\d\d)", name)
    if match is not None:
        span = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-span if match[1] == "-" else span)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise CelError(f"unknown time zone {name}") from error


_PARTS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDate": lambda at: at.day,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
}
_SPANS: dict[str, int] = {
    "getHours": 3600 * NANO,
    "getMinutes": 60 * NANO,
    "getSeconds": NANO,
    "getMilliseconds": 10**6,
}


def _declare_part(name: str, part: Callable[[datetime], int]) -> None:
    standard(name, Timestamp)(lambda time: part(time.moment()))
    standard(name, Timestamp, str)(lambda time, zone: part(time.moment().astimezone(_zone(zone))))


def _declare_span(name: str, unit: int) -> None:
    standard(name, Duration)(lambda span: int(math.copysign(abs(span.nanos) // unit, span.nanos)))


for _name, _part in _PARTS.items():
    _declare_part(_name, _part)
for _name, _unit in _SPANS.items():
    _declare_span(_name, _unit)
_declare_part("getMilliseconds", lambda at: at.microsecond // 1000)
