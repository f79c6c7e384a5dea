"""Columns that line up, by the rule of elastic tabstops that kubectl's tables and descriptions follow.

Lines are split at tabs. A column is a run of neighbouring lines that all have a cell there which a tab ends; its width
is its widest cell plus the padding. The text after the last tab of a line takes part in no column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from unicodedata import combining, east_asian_width


def display_width(text: str) -> int:
    """Columns a terminal needs for the text: wide East Asian characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))


def align(text: str, *, padding: int = 2, minimum: int = 0) -> str:
    """The text with its tabs made into columns."""
    rows = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in rows]
    _measure(rows, widths, 0, len(rows), 0, padding, minimum)
    return "\n".join(
        "".join(pad(cell, width) for cell, width in zip(row, columns, strict=False)) + row[-1]
        for row, columns in zip(rows, widths, strict=True)
    )


def _measure(
    rows: Sequence[Sequence[str]],
    widths: list[list[int]],
    start: int,
    end: int,
    column: int,
    padding: int,
    minimum: int,
) -> None:
    """Set the widths of this column for the lines of [start, end), block by block, then of the columns inside."""
    at = start
    while at < end:
        if len(rows[at]) <= column + 1:
            at += 1
            continue
        last = at
        while last < end and len(rows[last]) > column + 1:
            last += 1
        widest = max(display_width(row[column]) for row in rows[at:last])
        width = max(widest + padding, minimum)
        for columns in widths[at:last]:
            columns.append(width)
        _measure(rows, widths, at, last, column + 1, padding, minimum)
        at = last


class Columns:
    """A table written piece by piece: widths only grow, so that the rows of a watch stay under their headers."""

    def __init__(self, *, padding: int = 3, minimum: int = 6) -> None:
        self._padding = padding
        self._minimum = minimum
        self._widths: list[int] = []

    def lines(
        self, rows: Iterable[Sequence[str]], style: Callable[[int, int, str], str] = lambda row, column, text: text
    ) -> list[str]:
        """The rows as lines; `style(row, column, padded text)` may add colour without disturbing the widths."""
        table = [list(row) for row in rows]
        for row in table:
            self._widths.extend([self._minimum] * (len(row) - 1 - len(self._widths)))
            for index, cell in enumerate(row[:-1]):
                self._widths[index] = max(self._widths[index], display_width(cell) + self._padding)
        return [self._line(number, row, style) for number, row in enumerate(table)]

    def _line(self, number: int, row: Sequence[str], style: Callable[[int, int, str], str]) -> str:
        last = len(row) - 1
        return "".join(
            style(number, index, cell if index == last else pad(cell, self._widths[index]))
            for index, cell in enumerate(row)
        )
