"""mount(2) and umount2(2) through the C library: no process is started for a tmpfs."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2


def mount_tmpfs(target: Path, size: int = 0, mode: str = "0777") -> None:
    """Mount a tmpfs; a size of 0 leaves it to the kernel (half the memory). Raises OSError."""
    options = f"mode={mode}" + (f",size={size}" if size else "")
    failed = _libc.mount(b"tmpfs", os.fsencode(target), b"tmpfs", 0, options.encode())
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot mount a tmpfs: {os.strerror(number)}", str(target))


def unmount(target: Path) -> None:
    """Unmount; a busy mount is detached at once and ends with its last user. Raises OSError."""
    if _libc.umount2(os.fsencode(target), _MNT_DETACH):
        number = ctypes.get_errno()
        raise OSError(number, f"cannot unmount: {os.strerror(number)}", str(target))


def mounts_below(folder: Path) -> list[Path]:
    """The mount points under a folder, the deepest first."""
    prefix = f"{folder}/"
    found = []
    with open("/proc/self/mountinfo") as table:
        for line in table:
            point = line.split(" ")[4].encode().decode("unicode_escape")
            if point.startswith(prefix):
                found.append(Path(point))
    return sorted(found, key=lambda each: len(each.parts), reverse=True)
