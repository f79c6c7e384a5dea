"""Small files in which image management keeps what it must know after a restart."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from daemon.log import logger

log = logger(__name__)
T = TypeVar("T")


def read(file: Path, kind: type[T]) -> T | None:
    """The file's content; None if there is none, or none that can be understood."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("a file can't be read, and is begun anew", file=str(file), error=str(error))
        return None


def write(file: Path, content: object) -> None:
    """Replace the file at once, readable by nobody else. A full disk is no reason to stop: it is logged."""
    fresh = file.with_suffix(".new")
    try:
        fresh.touch(mode=0o600)
        fresh.write_bytes(msgspec.json.encode(content))
        os.replace(fresh, file)
    except OSError as error:
        log.warning("a file can't be written", file=str(file), error=str(error))
        with contextlib.suppress(OSError):
            fresh.unlink()
