"""One line per thing that happened, on stderr: time, level, name, message, then `key=value` pairs.

    log = logger(__name__)
    log.info("bound", pod="default/web-1", node="n1")

A field whose name says that it holds a secret is never written out.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

_SECRET_WORDS = ("token", "password", "secret", "authorization", "credential", "private")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@+,%[]()<>#*")


class Logger:
    """Standard logging with fields as keyword arguments."""

    __slots__ = ("_std",)

    def __init__(self, std: logging.Logger) -> None:
        self._std = std

    def debug(self, message: str, **fields: Any) -> None:
        self._write(logging.DEBUG, message, fields, None)

    def info(self, message: str, **fields: Any) -> None:
        self._write(logging.INFO, message, fields, None)

    def warning(self, message: str, **fields: Any) -> None:
        self._write(logging.WARNING, message, fields, None)

    def error(self, message: str, **fields: Any) -> None:
        self._write(logging.ERROR, message, fields, None)

    def exception(self, message: str, **fields: Any) -> None:
        """An error with the traceback of the exception that is being handled."""
        self._write(logging.ERROR, message, fields, sys.exc_info())

    def _write(self, level: int, message: str, fields: dict[str, Any], exc_info: Any) -> None:
        if self._std.isEnabledFor(level):
            self._std.log(level, "%s", message, exc_info=exc_info, extra={"fields": fields})


def logger(name: str) -> Logger:
    """The logger of a module; its name is the module's."""
    return Logger(logging.getLogger(name))


class LineFormatter(logging.Formatter):
    """`2026-11-22T11:00:00.123Z info scheduler.bind bound pod=default/web-1 node=n1`"""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        message = _one_line(record.getMessage())
        line = f"{stamp}.{int(record.msecs):03d}Z {record.levelname.lower()} {record.name} {message}"
        fields: dict[str, Any] = getattr(record, "fields", None) or {}
        line += "".join(f" {key}={render(key, value)}" for key, value in fields.items())
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def render(key: str, value: Any) -> str:
    """A field's value as it stands in the line: bare when one word, quoted otherwise, hidden when it is a secret."""
    if any(word in key.lower() for word in _SECRET_WORDS):
        return "[hidden]"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    if text and _PLAIN.issuperset(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _one_line(message: str) -> str:
    return message.replace("\n", "\\n") if "\n" in message else message


def setup(level: str = "info") -> None:
    """Send the whole process's log to stderr, at `level` and above. Libraries below `warning` stay silent."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("aiohttp", "asyncio", "docker", "httpx", "urllib3", "grpc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
