"""What nodes and pods use, as `top` shows it: sums, percentages, order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from api import quantity
from kubectl.errors import CliError

UNKNOWN = "<unknown>"
Object = dict[str, Any]


@dataclass(frozen=True)
class Usage:
    """Thousandths of a core, and bytes."""

    cpu: int = 0
    memory: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu + other.cpu, self.memory + other.memory)

    def cells(self) -> list[str]:
        return [f"{self.cpu}m", f"{self.memory >> 20}Mi"]


def usage(amounts: Mapping[str, Any]) -> Usage:
    return Usage(quantity.milli(amounts.get("cpu", 0)), quantity.value(amounts.get("memory", 0)))


def total(each: Iterable[Usage]) -> Usage:
    return sum(each, Usage())


def node_cells(used: Usage | None, available: Usage) -> list[str]:
    """A node that no metrics are known of is shown all the same."""
    if used is None:
        return [UNKNOWN] * 4
    cpu, memory = used.cells()
    return [cpu, _percent(used.cpu, available.cpu), memory, _percent(used.memory, available.memory)]


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 // whole}%" if whole else UNKNOWN


def ordered(rows: list[tuple[Usage | None, list[str]]], by: str) -> list[list[str]]:
    """By name, or the greatest first. Raises CliError."""
    if by not in ("", "cpu", "memory"):
        raise CliError("--sort-by accepts only cpu or memory")
    if by:
        rows = sorted(rows, key=lambda row: (-getattr(row[0], by) if row[0] is not None else 1, row[1]))
    else:
        rows = sorted(rows, key=lambda row: row[1])
    return [cells for _, cells in rows]
