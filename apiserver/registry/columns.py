"""A kind's whole table: its own columns with Name and Age around them, and the cell formats that kinds share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.metadata import parse_time
from apiserver.registry.kind import Column, Kind, Object

NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"
_FEW = 3


def table_columns(kind: Kind) -> tuple[Column, ...]:
    """The columns as `kubectl get` shows them: Name, the kind's own, Age, then those of `-o wide`."""
    if kind.table == "plain":
        return kind.columns
    shown = tuple(column for column in kind.columns if not column.priority)
    wide = tuple(column for column in kind.columns if column.priority)
    return (NAME, *shown, AGE, *wide)


def human_duration(seconds: float) -> str:
    """A duration as kubectl writes ages: two units at most, fewer digits the longer it is."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    if total < 0:
        return "0s"
    if total < 120:
        return f"{total}s"
    minutes = total // 60
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(hours // 24, "d", hours % 24, "h")
    days = hours // 24
    if days < 730:
        return f"{days}d"
    if days < 2920:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def since(timestamp: str | None, now: datetime) -> str:
    """The age of an RFC 3339 timestamp."""
    return human_duration((now - parse_time(timestamp)).total_seconds()) if timestamp else UNKNOWN


def few(items: Sequence[str]) -> str:
    """The first three of a list, and how many more there are."""
    shown = ",".join(items[:_FEW])
    return f"{shown} + {len(items) - _FEW} more..." if len(items) > _FEW else shown


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def _name(obj: Object, now: datetime) -> Any:
    return obj["metadata"]["name"]


def _age(obj: Object, now: datetime) -> Any:
    return since(obj["metadata"].get("creationTimestamp"), now)


NAME = Column("Name", _name, format="name", description="Name must be unique within a namespace.")
AGE = Column("Age", _age, description="The time since the object was created.")
CREATED_AT = Column(
    "Created At",
    lambda obj, now: obj["metadata"].get("creationTimestamp") or UNKNOWN,
    type="date",
    description="When the object was created.",
)
"""What the plainest tables show instead of an age."""
