"""The user's own terminal as the near end of a command's streams."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from kubectl.session import Session
from kubectl.streams.remote import Ends


@contextmanager
def ends(session: Session, *, stdin: bool, tty_wanted: bool) -> Iterator[Ends]:
    """Standard streams; with a tty the terminal passes every key on, and is put right again at the end."""
    terminal = session.terminal
    fd = sys.stdin.fileno() if stdin else -1
    if not tty_wanted:
        yield Ends(terminal.write_bytes, _to_stderr, fd)
        return
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd, termios.TCSADRAIN)  # keeping what was typed ahead
        yield Ends(terminal.write_bytes, None, fd, size)
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def may_have_tty(session: Session, *, stdin: bool, wanted: bool) -> bool:
    """Whether there can be a tty; says so if one was wanted that can't be."""
    if not (wanted and stdin):
        return False
    if not sys.stdin.isatty():
        session.terminal.complain("Unable to use a TTY - input is not a terminal or the right kind of file")
        return False
    return True


def size() -> tuple[int, int]:
    """Columns and lines."""
    for fd in (1, 0, 2):
        try:
            columns, lines = os.get_terminal_size(fd)
        except OSError:
            continue
        return columns, lines
    return 0, 0


def _to_stderr(piece: bytes) -> None:
    sys.stderr.flush()
    view = memoryview(piece)
    while view:
        view = view[os.write(2, view) :]
