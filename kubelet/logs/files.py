"""The files of one container's log, read as one stream that goes on through their rotation.

Docker's own log API loses lines, or tells them twice, while it follows a log that is rotated (20.10: tens of
thousands of lines of a busy container). So the files are read here. A rotation renames `x-json.log` to `.1`, that to
`.2` and so on, and removes the oldest; a file that is held open stays the same file under any name, so the reader
finds where it is by the file's identity.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

BLOCK = 128 * 1024


def log_path(engine_root: Path, container_id: str) -> Path:
    return engine_root / "containers" / container_id / f"{container_id}-json.log"


class LogReader:
    """Reads whole lines. `close()` it. Raises FileNotFoundError when there is no such log."""

    def __init__(self, path: Path, tail: int | None = None, since: float = 0.0, *, last: int | None = None) -> None:
        """Begin at the first line, or `tail` lines before the end, or with the first line of the `last` bytes; whole
        files that are older than `since` (seconds since the epoch) are passed over."""
        self._path = path
        self._rest = b""
        opened = self._open_all()
        if not opened:
            raise FileNotFoundError(f"no log at {path}")
        chosen = _first(opened, tail, since) if last is None else _within(opened, last)
        self._fd = opened.pop(chosen)
        _close(opened)

    def read(self, size: int = BLOCK) -> bytes:
        """The next lines; empty when there are none yet."""
        while True:
            if data := os.read(self._fd, size):
                whole, newline, rest = data.rpartition(b"\n")
                if not newline:
                    self._rest += data
                    continue
                whole, self._rest = self._rest + whole + newline, rest
                return whole
            if not self._rotated():
                return b""
            if os.fstat(self._fd).st_size > os.lseek(self._fd, 0, os.SEEK_CUR):
                continue  # written between the last read and the rotation
            self._go_on()

    def close(self) -> None:
        os.close(self._fd)

    def _rotated(self) -> bool:
        """Whether another file has this one's place. In the midst of a rotation there is none, which is not yet so."""
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def _go_on(self) -> None:
        """From a file that was read to its end to the next younger one."""
        while True:
            opened = self._open_all()
            own = os.fstat(self._fd)
            at = next((i for i, fd in enumerate(opened) if os.path.samestat(os.fstat(fd), own)), None)
            if at is None and own.st_nlink and opened:
                _close(opened)  # it was being renamed just as its name was looked up
                continue
            if opened and at != 0:
                # One that is no longer there was overtaken by the rotation: what is left begins with the oldest.
                following = opened.pop(len(opened) - 1 if at is None else at - 1)
                os.close(self._fd)
                self._fd, self._rest = following, b""
            _close(opened)
            return

    def _open_all(self) -> list[int]:
        """The files, the youngest first. In this order none is missed: a rotation only moves files to later names."""
        found: list[int] = []
        for number in range(_oldest(self._path) + 2):
            try:
                fd = os.open(f"{self._path}.{number}" if number else self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            if any(os.path.samestat(os.fstat(fd), os.fstat(known)) for known in found):
                os.close(fd)
            else:
                found.append(fd)
        return found


def _oldest(path: Path) -> int:
    pattern = re.compile(re.escape(path.name) + r"\.(\d+)\Z")
    try:
        numbers = [int(match[1]) for name in os.listdir(path.parent) if (match := pattern.match(name))]
    except FileNotFoundError:
        return 0
    return max(numbers, default=0)


def _first(opened: list[int], tail: int | None, since: float) -> int:
    """Which file to begin with; it is left at the offset to begin at."""
    if tail is not None:
        for index, fd in enumerate(opened):
            tail -= _seek_back(fd, tail)
            if tail <= 0:
                return index
        return len(opened) - 1
    for index in range(len(opened) - 1, 0, -1):
        if os.fstat(opened[index]).st_mtime >= since:
            return index
    return 0


def _within(opened: list[int], size: int) -> int:
    """The file in which the last so many bytes begin; it is left at the first whole line of them."""
    for index, fd in enumerate(opened):
        here = os.fstat(fd).st_size
        if here > size:
            return index if _seek_line(fd, here - size) else max(index - 1, 0)
        size -= here
    return len(opened) - 1


def _seek_line(fd: int, position: int) -> bool:
    """Go to the first line that begins at or after a position; False if there is none."""
    position = max(position - 1, 0)  # a line break just before it is the one sought
    while block := os.pread(fd, BLOCK, position):
        at = block.find(b"\n")
        if at >= 0:
            os.lseek(fd, position + at + 1, os.SEEK_SET)
            return position + at + 1 < os.fstat(fd).st_size
        position += len(block)
    return False


def _seek_back(fd: int, lines: int) -> int:
    """Go to so many lines before the end, or to the start if there are fewer; how many there are from there on."""
    end = position = os.fstat(fd).st_size
    found = 0
    if lines <= 0:
        os.lseek(fd, end, os.SEEK_SET)
        return 0
    while position > 0:
        size = min(BLOCK, position)
        position -= size
        block = os.pread(fd, size, position)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            if found == lines:
                os.lseek(fd, position + at + 1, os.SEEK_SET)
                return found
            found += 1
    os.lseek(fd, 0, os.SEEK_SET)
    return found


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
