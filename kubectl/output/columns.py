"""`-o custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image`"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kubectl.errors import CliError
from kubectl.output.jsonpath import Template, relaxed, show
from kubectl.output.tabwriter import Columns


class CustomColumns:
    """The columns of a specification; keeps its widths, so that a watch can go on under the same headers."""

    def __init__(self, columns: list[tuple[str, str]], headers: bool = True) -> None:
        self._columns = [(name, Template(relaxed(path))) for name, path in columns]
        self._table = Columns()
        self._headers = headers

    @classmethod
    def from_spec(cls, spec: str, headers: bool = True) -> CustomColumns:
        if not spec:
            raise CliError("custom-columns format specified but no custom columns given")
        columns = []
        for part in _split_outside_brackets(spec):
            name, colon, path = part.partition(":")
            if not colon or not path:
                raise CliError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
            columns.append((name, path))
        return cls(columns, headers)

    @classmethod
    def from_file(cls, path: str, headers: bool = True) -> CustomColumns:
        """A file of two lines: the headers, and under each its path."""
        try:
            lines = Path(path).read_text().splitlines()
        except OSError as problem:
            raise CliError(f"cannot read {path}: {problem.strerror}") from problem
        if len(lines) < 2 or len(lines[0].split()) != len(lines[1].split()):
            raise CliError(f"{path} must have a line of headers and a line with as many paths")
        return cls(list(zip(lines[0].split(), lines[1].split(), strict=True)), headers)

    def lines(self, objects: Iterable[Any]) -> list[str]:
        rows = [[name for name, _ in self._columns]] if self._headers else []
        self._headers = False
        rows.extend([_cell(template, obj) for _, template in self._columns] for obj in objects)
        return self._table.lines(rows)


def _cell(template: Template, obj: Any) -> str:
    values = template.values(obj)
    return ",".join("<nil>" if value is None else _show(value) for value in values) if values else "<none>"


def _show(value: Any) -> str:
    """Maps and lists as Go prints them: `map[a:1]`, `[x y]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_show(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_show(item) for item in value) + "]"
    return show(value)


def _split_outside_brackets(spec: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for character in spec:
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]
