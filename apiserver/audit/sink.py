"""Where audit events go: a file that is rotated by size and thinned out by age, or standard output.

An event is handed to the kernel as soon as its request is over: a killed server has told what it did.
"""

from __future__ import annotations

import contextlib
import logging.handlers
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from daemon.log import logger

log = logger(__name__)

DAY = 24 * 3600
_REMIND = 60.0


class _File(logging.handlers.RotatingFileHandler):
    """The standard library's rotation, of lines that are ready as they are. Only the server's user may read them."""

    def __init__(self, path: Path, size: int, backups: int, age: int) -> None:
        self._age = age
        super().__init__(path, maxBytes=size, backupCount=backups, encoding="utf-8")

    def _open(self):  # type: ignore[no-untyped-def]  # an io.TextIOWrapper, as its base says
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def doRollover(self) -> None:
        super().doRollover()
        if not self._age:
            return
        oldest = time.time() - self._age * DAY
        for path in Path(self.baseFilename).parent.glob(f"{Path(self.baseFilename).name}.*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def handleError(self, record: logging.LogRecord) -> None:
        raise  # the caller counts it


class Sink:
    """Writes lines. What cannot be written (a full disk) is counted and said, and no request fails for it."""

    def __init__(self, path: str, size_mb: int = 100, backups: int = 10, age_days: int = 0) -> None:
        self.errors = 0
        self._complained = 0.0
        self._emit: Callable[[str], object]
        self._close: Callable[[], object] = sys.stdout.flush
        if path == "-":
            self._emit = sys.stdout.write
        else:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            handler = _File(Path(path), size_mb * 1024 * 1024, backups, age_days)
            handler.setFormatter(logging.Formatter("%(message)s"))
            handler.terminator = ""
            self._close = handler.close
            self._emit = lambda line: handler.emit(logging.LogRecord("audit", 0, "", 0, line, None, None))

    def write(self, line: bytes) -> None:
        try:
            self._emit(line.decode())
        except OSError as error:
            self._lost(error)

    def close(self) -> None:
        try:
            self._close()
        except OSError as error:
            self._lost(error)

    def _lost(self, error: OSError) -> None:
        self.errors += 1
        if time.monotonic() > self._complained + _REMIND:
            self._complained = time.monotonic()
            log.error("could not write to the audit log", why=str(error), lost=self.errors)
