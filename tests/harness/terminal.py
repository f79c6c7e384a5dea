"""A program on a terminal of its own: what a user at a keyboard sees and does."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType


class Terminal(AbstractContextManager["Terminal"]):
    """Runs a command on a pseudo-terminal of this size."""

    def __init__(
        self, argv: Sequence[str], columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        self._own, theirs = pty.openpty()
        self._set_size(columns, rows)
        self._process = subprocess.Popen(
            argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=env
        )
        os.close(theirs)
        self.seen = ""

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._own, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns: int, rows: int) -> None:
        self._set_size(columns, rows)
        self._process.send_signal(signal.SIGWINCH)

    def enter(self, text: str) -> None:
        os.write(self._own, text.encode())

    def expect(self, text: str, seconds: float = 20) -> None:
        """Wait until this has been written."""
        until = time.monotonic() + seconds
        while text not in self.seen:
            left = until - time.monotonic()
            assert left > 0, f"{text!r} has not been written, but {self.seen!r}"
            self.read(left)

    def read(self, seconds: float) -> None:
        """See what is written next, if it comes in time."""
        if select.select([self._own], [], [], seconds)[0]:
            try:
                self.seen += os.read(self._own, 4096).decode(errors="replace")
            except OSError as error:  # the last program on the terminal has ended
                raise AssertionError(f"the program has ended after {self.seen!r}") from error

    def wait(self, seconds: float = 20) -> int:
        """The exit code."""
        return self._process.wait(seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._own)
