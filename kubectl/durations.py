"""Spans of time as kubectl reads (`1m30s`) and writes (`5m12s`, `3d4h`) them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from kubectl.errors import CliError

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def parse(text: str) -> float:
    """Seconds of `40s`, `1m30s`, `1.5h`, `0`; a bare number counts seconds. A leading minus is kept."""
    sign, body = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    if re.fullmatch(r"\d+(\.\d+)?", body):
        return sign * float(body)
    parts = list(_PART.finditer(body))
    if not parts or "".join(part.group() for part in parts) != body:
        raise CliError(f'invalid duration "{text}": write it as 30s, 5m or 1h30m')
    return sign * sum(float(part[1]) * _UNITS[part[2]] for part in parts)


def human(seconds: float) -> str:
    """A span in at most two units, coarser the longer it is."""
    total = int(seconds)
    if total < 0:
        return "<invalid>" if total < -1 else "0s"
    if total < 120:
        return f"{total}s"
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(first: int, unit: str, second: int, small_unit: str) -> str:
    return f"{first}{unit}{second}{small_unit}" if second else f"{first}{unit}"


def moment(text: str) -> datetime:
    """An RFC 3339 time of the API."""
    return datetime.fromisoformat(text)


def age(timestamp: str | None, now: datetime | None = None) -> str:
    """How long ago, or `<unknown>`."""
    if not timestamp:
        return "<unknown>"
    return human(((now or datetime.now(UTC)) - moment(timestamp)).total_seconds())


def go_format(seconds: int) -> str:
    """Seconds as Go prints a duration: `15s`, `1m0s`, `1h0m0s`."""
    if seconds < 60:
        return f"{seconds}s"
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}h{minutes}m{left}s" if hours else f"{minutes}m{left}s"
