"""Where the output goes, and whether it may be coloured: on a terminal yes, in a pipe or with NO_COLOR never."""

from __future__ import annotations

import os
import sys
from typing import TextIO

STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


def may_colour(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("CLICOLOR_FORCE")) or stream.isatty()


class Terminal:
    """Standard output and error of one run."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.colour = may_colour(self.out)
        self.interactive = self.err.isatty() and os.environ.get("TERM") != "dumb"

    def print(self, text: str = "") -> None:
        self.out.write(text + "\n")

    def write(self, text: str) -> None:
        self.out.write(text)

    def write_bytes(self, piece: bytes) -> None:
        """What a container wrote, as it is, at once."""
        buffer = getattr(self.out, "buffer", None)
        if buffer is None:
            self.out.write(piece.decode(errors="replace"))
        else:
            self.out.flush()
            buffer.write(piece)
        self.out.flush()

    def flush(self) -> None:
        self.out.flush()

    def complain(self, text: str) -> None:
        """To standard error, after what has been printed so far."""
        self.out.flush()
        self.err.write(text + "\n")
        self.err.flush()

    def paint(self, text: str, style: str) -> str:
        if not self.colour or not style:
            return text
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m"

    def paint_padded(self, text: str, style: str) -> str:
        """Colour the text, not the spaces after it."""
        bare = text.rstrip(" ")
        return self.paint(bare, style) + text[len(bare) :] if bare else text
