"""What a client may ask of a log: the parameters of Kubernetes' PodLogOptions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from api.metadata import parse_time

_FRACTION = re.compile(r"[.,](\d+)")


class BadQuery(ValueError):
    """A parameter that makes no sense."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """`since` is a stamp (see below), or empty; `stream` is All, Stdout or Stderr."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: str = ""
    limit: int | None = None
    stream: str = "All"


def read_query(query: Mapping[str, str], now: float) -> LogQuery:
    """Raises BadQuery."""
    since = ""
    if "sinceSeconds" in query:
        moment = datetime.fromtimestamp(now - _number(query, "sinceSeconds", least=1), UTC)
        since = moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    elif "sinceTime" in query:
        try:
            since = stamp_of(query["sinceTime"])
        except ValueError as error:
            raise BadQuery(f"sinceTime: {error}") from error
    stream = query.get("stream") or "All"
    if stream not in ("All", "Stdout", "Stderr"):
        raise BadQuery(f"stream: {stream!r} is none of All, Stdout, Stderr")
    return LogQuery(
        follow=_true(query, "follow"),
        previous=_true(query, "previous"),
        timestamps=_true(query, "timestamps"),
        tail=_number(query, "tailLines") if "tailLines" in query else None,
        since=since,
        limit=_number(query, "limitBytes", least=1) if "limitBytes" in query else None,
        stream=stream,
    )


def stamp_of(text: str) -> str:
    """An RFC 3339 time in UTC with nine decimals: the order of such stamps as text is their order in time. Raises
    ValueError."""
    fraction = _FRACTION.search(text)
    decimals = fraction[1] if fraction else ""
    return f"{parse_time(text).strftime('%Y-%m-%dT%H:%M:%S')}.{decimals[:9]:0<9}Z"


def _true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("true", "1", "t")


def _number(query: Mapping[str, str], name: str, least: int = 0) -> int:
    text = query[name]
    if not text.isdigit() or int(text) < least:
        raise BadQuery(f"{name}: must be a whole number of at least {least}")
    return int(text)
