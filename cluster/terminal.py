"""What `up` and `down` show while they work: one line a step, with a spinner on a terminal and plain in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(highlight=False, soft_wrap=True, stderr=False)


class Failed(Exception):
    """A step that could not be done: what is wrong, where, and what to do about it."""


@contextmanager
def step(title: str) -> Iterator[list[str]]:
    """Run a step under a title. What is appended to the list it gives is shown beside the title at its end."""
    began, notes = time.monotonic(), list[str]()
    try:
        if console.is_terminal:
            with console.status(title):
                yield notes
        else:
            yield notes
    except BaseException:
        console.print(f"[red]✗[/] {title}" if console.is_terminal else f"failed: {title}")
        raise
    seconds = time.monotonic() - began
    told = f" ({', '.join(notes)})" if notes else ""
    console.print(f"[green]✓[/] {title}{told} [dim]{seconds:.1f} s[/]")
    sys.stdout.flush()
