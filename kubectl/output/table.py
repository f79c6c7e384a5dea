"""The server's tables on the screen: which columns, in which widths, in which colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kubectl.output.tabwriter import Columns
from kubectl.terminal import Terminal

_GOOD = frozenset({"Running", "Ready", "Active", "Bound", "Available", "True", "Normal"})
_DONE = frozenset({"Completed", "Succeeded", "Complete"})
_WAITING = frozenset({"Pending", "ContainerCreating", "PodInitializing", "Terminating", "Unknown", "NotReady"})
_BAD = re.compile(r"Error|BackOff|Failed|Invalid|Evicted|OOMKilled|Warning|Lost|Killed|CannotRun|Err\w+")
_RATIO = re.compile(r"(\d+)/(\d+)\Z")


@dataclass(frozen=True)
class Look:
    """What of a table to show."""

    wide: bool = False
    headers: bool = True
    namespace: bool = False
    show_labels: bool = False
    label_columns: Sequence[str] = ()
    prefix: str = ""
    """`pod/`, before each name, when several kinds are shown."""
    event: bool = False
    """A first column EVENT, for a watch."""


class TableWriter:
    """Prints tables of one kind one below the other under one header."""

    def __init__(self, terminal: Terminal, look: Look) -> None:
        self._terminal = terminal
        self._look = look
        self._columns = Columns()
        self._headers: list[str] = []
        self._definitions: list[dict[str, Any]] = []

    def write(self, table: dict[str, Any], event: str = "") -> None:
        definitions = table.get("columnDefinitions") or self._definitions  # a watch sends them once
        self._definitions = definitions
        shown = [i for i, d in enumerate(definitions) if self._look.wide or not d.get("priority")]
        rows: list[list[str]] = []
        first = not self._headers
        if definitions and first:
            self._headers = self._header([definitions[i]["name"] for i in shown])
            if self._look.headers:
                rows.append(self._headers)
        has_header_row = bool(rows)
        rows.extend(self._row(row, shown, event) for row in table.get("rows") or ())
        for line in self._columns.lines(rows, self._style(has_header_row)):
            self._terminal.print(line.rstrip(" ") if self._terminal.colour else line)

    def _header(self, names: Sequence[str]) -> list[str]:
        look = self._look
        header = [name.upper() for name in names]
        header.extend(label.rsplit("/", 1)[-1].upper() for label in look.label_columns)
        if look.show_labels:
            header.append("LABELS")
        if look.namespace:
            header.insert(0, "NAMESPACE")
        if look.event:
            header.insert(0, "EVENT")
        return header

    def _row(self, row: dict[str, Any], shown: Sequence[int], event: str) -> list[str]:
        look = self._look
        metadata = (row.get("object") or {}).get("metadata") or {}
        cells = [_cell(row["cells"][i]) for i in shown]
        if look.prefix and cells:
            cells[0] = look.prefix + cells[0]
        labels = metadata.get("labels") or {}
        cells.extend(labels.get(label, "") for label in look.label_columns)
        if look.show_labels:
            cells.append(",".join(f"{k}={labels[k]}" for k in sorted(labels)) or "<none>")
        if look.namespace:
            cells.insert(0, metadata.get("namespace", ""))
        if look.event:
            cells.insert(0, event)
        return cells

    def _style(self, has_header_row: bool) -> Callable[[int, int, str], str]:
        terminal = self._terminal
        if not terminal.colour:
            return lambda row, column, text: text

        def style(row: int, column: int, text: str) -> str:
            if has_header_row and row == 0:
                return terminal.paint_padded(text, "bold")
            return terminal.paint_padded(text, colour_of(self._headers[column], text.strip()))

        return style


def colour_of(header: str, text: str) -> str:
    """The colour that helps the eye in a column, or none."""
    if header in ("STATUS", "TYPE", "REASON", "PHASE"):
        return _status_colour(text) if header != "TYPE" or text in ("Normal", "Warning") else ""
    if header in ("READY", "COMPLETIONS"):
        ratio = _RATIO.match(text)
        return "" if ratio is None else "green" if ratio[1] == ratio[2] else "yellow"
    if header == "RESTARTS":
        return "yellow" if text and not text.startswith("0") else ""
    if header in ("AGE", "LAST SEEN", "NAMESPACE", "LABELS"):
        return "dim"
    return ""


def _status_colour(text: str) -> str:
    if _BAD.search(text):
        return "red"
    if any(part in _WAITING for part in text.split(",")) or "Disabled" in text or text.startswith("Init:"):
        return "yellow"
    if text in _DONE:
        return "dim"
    return "green" if text.split(",")[0] in _GOOD else ""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    for control in "\f\n\r\t":
        at = text.find(control)
        if at >= 0:
            text = f"{text[:at]}..."
    return text
