"""Files of variables that `fileKeyRef` reads: the part of a shell's syntax that needs no expansion.

A line is `NAME='value'`, with nothing but a comment behind it; what stands between the quotes is taken as it is, line
breaks too. Empty lines and comments may stand between.
https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-via-file/
"""

from __future__ import annotations

import os
from pathlib import Path

LARGEST = 1 << 20
"""Bytes of a file that are read at most."""


def value(text: str, key: str) -> str:
    """The value of a name; empty if it isn't there. Raises ValueError with the number of the line that is wrong."""
    lines = enumerate(text.split("\n"), 1)
    for number, line in lines:
        stripped = line.lstrip(" \t")
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, rest = stripped.partition("=")
        if not equals or not name or name != name.rstrip(" \t"):
            raise ValueError(f"invalid environment variable format at line {number}")
        found = ""
        if not rest.startswith((" ", "\t")):  # a shell takes `NAME= …` for an empty value
            if not rest.startswith("'"):
                raise ValueError(
                    f"invalid environment variable format at line {number}: value must be enclosed in single quotes"
                )
            found, quote, behind = rest[1:].partition("'")
            while not quote:
                more = next(lines, None)
                if more is None:
                    raise ValueError(
                        f"invalid environment variable format starting at line {number}: unclosed single quote"
                    )
                part, quote, behind = more[1].partition("'")
                found += "\n" + part
            if behind.strip(" \t") and not behind.lstrip(" \t").startswith("#"):
                raise ValueError(
                    f"invalid environment variable format at line {number}: unexpected content after closing quote"
                )
        if name == key:
            return found
    return ""


def read(volume: Path, path: str) -> str | None:
    """A file below a volume; None if it isn't there. Raises OSError for one that leads out of the volume.

    A container can make any path a symbolic link at any moment, so where the opened file really lies is what counts.
    """
    try:
        descriptor = os.open(volume / path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not Path(os.readlink(f"/proc/self/fd/{descriptor}")).is_relative_to(volume.resolve()):
            raise OSError(f"the path {path!r} leads out of the volume")
        return file.read(LARGEST).decode(errors="replace")
