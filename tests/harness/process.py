"""Daemons as child processes of a test: started with a log file, waited for, killed by their own id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / ".venv" / "bin"
BYTECODE = SCRIPTS.parent / "bytecode"
"""Where daemons keep their compiled modules, as installed ones do, even if this environment forbids it to Python: to
compile them at each start costs an API server a third of it."""


class NotReady(AssertionError):
    """Something a test waited for did not come true in time."""


def wait_until(what: str, condition: Callable[[], object], seconds: float = 30, every: float = 0.05) -> None:
    """Wait until `condition` is true; an OSError counts as not yet.

    Raises:
        NotReady: with the last error, if any.
    """
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (OSError, AssertionError) as error:
            last = error
        time.sleep(every)
    raise NotReady(f"{what}: not within {seconds:g} s" + (f" ({last})" if last else ""))


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A child process in a session of its own, so that it and its children can be ended together."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        folder: Path,
        *,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.argv = [*prefix, *argv]
        self.log = folder / f"{name}.log"
        self.env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(BYTECODE), **(env or {})}
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        folder = self.log.parent
        folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.env, start_new_session=True
            )
        return self

    @property
    def pid(self) -> int:
        assert self._child is not None, f"{self.name} was not started"
        return self._child.pid

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def kill(self) -> None:
        """SIGKILL, as a crash does it; waits until the process is gone."""
        self._signal(signal.SIGKILL)

    def stop(self, seconds: float = 15) -> int:
        """SIGTERM, then SIGKILL for what does not end; returns the exit code."""
        return self._signal(signal.SIGTERM, seconds)

    def _signal(self, number: signal.Signals, seconds: float = 15) -> int:
        child = self._child
        if child is None:
            return 0
        if child.poll() is None:
            os.kill(child.pid, number)
        try:
            return child.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return child.wait(seconds)

    def wait_for(self, what: str, condition: Callable[[], object], seconds: float = 30) -> None:
        """`wait_until`, but a process that ended is an error at once, told with the end of its log."""

        def check() -> object:
            if not self.alive():
                raise SystemError(f"{self.name} ended while waiting for {what}:\n{self.tail()}")
            return condition()

        try:
            wait_until(what, check, seconds)
        except NotReady as error:
            raise NotReady(f"{error}\n{self.tail()}") from error

    def tail(self, lines: int = 30) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])
