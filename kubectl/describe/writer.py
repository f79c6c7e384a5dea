"""Lines at levels of indentation, whose tabs become columns when the text is taken."""

from __future__ import annotations

from kubectl.output.tabwriter import align


class Writer:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def line(self, level: int, text: str = "") -> None:
        """Two spaces a level; tabs in the text end cells."""
        self._lines.append("  " * level + text)

    def field(self, level: int, name: str, value: object) -> None:
        self.line(level, f"{name}:\t{value}")

    def text(self) -> str:
        return align("\n".join(self._lines) + "\n") if self._lines else ""
