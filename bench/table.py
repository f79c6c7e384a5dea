"""A measurement, its verdict, and the table of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measure."""

    measure: str
    figure: float
    unit: str
    """`/s`, `s`, `ms`, `MB`, `%`."""
    limit: float
    limit_of: str
    """What was measured for the limit, in a few words."""
    goal: float
    more_is_better: bool = False
    note: str = ""
    ratio_goal: float = 0.0
    """What figure to limit must be as well: at most, or at least where more is better. 0: whatever."""

    @property
    def ratio(self) -> float:
        """Figure to limit."""
        return self.figure / self.limit if self.limit else float("nan")

    @property
    def met(self) -> bool:
        return self._off(self.figure, self.goal) <= 1 and self._off(self.ratio, self.ratio_goal) <= 1

    def _off(self, figure: float, goal: float) -> float:
        """How many times too low or too high; at most 1 is fine."""
        if not goal:
            return 0.0
        return goal / figure if self.more_is_better else figure / goal

    @property
    def verdict(self) -> str:
        if self.met:
            return "met"
        return f"missed: {max(self._off(self.figure, self.goal), self._off(self.ratio, self.ratio_goal)):.2f} × off"

    def json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


HEADERS = ("MEASURE", "FIGURE", "LIMIT", "RATIO", "GOAL", "VERDICT", "LIMIT IS", "NOTE")


def render(rows: Sequence[Row]) -> str:
    """The table as text."""
    cells = [HEADERS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADERS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    sign = "≥" if row.more_is_better else "≤"
    goals = [f"{sign} {amount(row.goal, row.unit)}"] if row.goal else []
    goal = ", ".join([*goals, f"{sign} {row.ratio_goal:g} ×"] if row.ratio_goal else goals)
    figures = (amount(row.figure, row.unit), amount(row.limit, row.unit), f"{row.ratio:.2f}")
    return (row.measure, *figures, goal, row.verdict, row.limit_of, row.note)


def amount(value: float, unit: str) -> str:
    """`1,234/s`, `0.061 s`, `8.4 ms`: three significant digits."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}{'' if unit.startswith('/') else ' '}{unit}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
