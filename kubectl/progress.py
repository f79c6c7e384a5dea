"""A line that moves while the CLI waits; only on a terminal, so that logs and pipes get the messages alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from kubectl.terminal import Terminal

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress:
    """`with Progress(terminal, "waiting for …") as p: p.text = …`. It is gone without a trace afterwards."""

    def __init__(self, terminal: Terminal, text: str) -> None:
        self.text = text
        self._source: Callable[[], str] = lambda: self.text
        self._terminal = terminal
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._spin, daemon=True) if terminal.interactive else None

    def __enter__(self) -> Progress:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread:
            self._stop.set()
            self._thread.join()
            self._clear()

    def follow(self, text: Callable[[], str]) -> None:
        """From now on the line says what `text` gives each time."""
        self._source = text

    def print(self, text: str) -> None:
        """A line that stays, on standard output."""
        with self._lock:
            if self._thread:
                self._clear()
            self._terminal.print(text)
            self._terminal.flush()

    def complain(self, text: str) -> None:
        """A line that stays, on standard error."""
        with self._lock:
            if self._thread:
                self._clear()
            self._terminal.complain(text)

    def _spin(self) -> None:
        turn = 0
        while not self._stop.wait(0.1):
            with self._lock:
                seconds = int(time.monotonic() - self._started)
                frame = self._terminal.paint(FRAMES[turn % len(FRAMES)], "cyan")
                self._terminal.err.write(f"\r\x1b[K{frame} {self._source()} ({seconds}s)")
                self._terminal.err.flush()
            turn += 1

    def _clear(self) -> None:
        self._terminal.err.write("\r\x1b[K")
        self._terminal.err.flush()
