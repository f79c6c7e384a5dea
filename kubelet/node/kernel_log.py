"""The kernel's own log, read for one thing: that the whole machine ran out of memory, and which process died for it.
That is nobody's container limit, so nothing else tells it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

from daemon.log import logger

log = logger(__name__)

DEVICE = Path("/dev/kmsg")
RECORD = 8192
"""Bytes that one read may return: a whole record, or an error."""

_KILL = re.compile(r"oom-kill:constraint=[^,]*,.*\bglobal_oom\b.*\btask=(.*),pid=(\d+),uid=\d+")


def system_oom(record: str) -> str:
    """What to say of a record that tells of such a kill; nothing for all others, such as kills for a cgroup's limit."""
    found = _KILL.search(record)
    return f"System OOM encountered, victim process: {found[1]}, pid: {found[2]}" if found else ""


class KernelLog:
    """`on_oom(message)` is called for each kill from now on. A machine that lets nobody read its log is no error."""

    def __init__(self, on_oom: Callable[[str], None]) -> None:
        self._on_oom = on_oom
        self._fd: int | None = None

    def open(self, device: Path = DEVICE) -> None:
        try:
            fd = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(fd, 0, os.SEEK_END)
        except OSError as error:
            log.info("the kernel's log can't be read, so no SystemOOM is told", error=str(error))
            return
        self.follow(fd)

    def follow(self, fd: int) -> None:
        """Take records from a descriptor that doesn't block; it is closed at the end."""
        self._fd = fd
        asyncio.get_running_loop().add_reader(fd, self._read)

    def close(self) -> None:
        if self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None

    def _read(self) -> None:
        while self._fd is not None:
            try:
                record = os.read(self._fd, RECORD)
            except BlockingIOError:
                return
            except BrokenPipeError:
                continue  # the kernel has overwritten what was next: the one after it comes
            except OSError as error:
                log.warning("the kernel's log ends", error=str(error))
                record = b""
            if not record:
                self.close()
                return
            if said := system_oom(record.decode(errors="replace")):
                self._on_oom(said)
