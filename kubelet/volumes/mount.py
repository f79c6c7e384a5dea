"""mount(2) and its kin through the C library: no process is started for a tmpfs or a bind mount.

What lies below a pod's folder may be tied to mounts elsewhere (a propagating bind mount of a hostPath is one of the
host's own): such ties are cut before anything is unmounted, else the host would lose what a pod only looked at.
"""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

_MS_BIND, _MS_REC, _MS_PRIVATE, _MS_SLAVE = 0x1000, 0x4000, 1 << 18, 1 << 19
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8
_SYS_MOUNT_SETATTR = 442
"""The same number on every architecture."""
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_ATTR_RDONLY = 1
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def mount_tmpfs(target: Path, size: int = 0, mode: str = "0777") -> None:
    """Mount a tmpfs; a size of 0 leaves it to the kernel (half the memory). Raises OSError."""
    options = f"mode={mode}" + (f",size={size}" if size else "")
    _mount("mount a tmpfs", b"tmpfs", target, b"tmpfs", 0, options.encode())


def mount_huge_pages(target: Path, page_size: int) -> None:
    """Mount a file system whose files are made of huge pages of that size in bytes. Raises OSError."""
    options = f"pagesize={page_size},mode=0777"
    _mount(f"mount huge pages of {page_size} bytes", b"nodev", target, b"hugetlbfs", 0, options.encode())


def make_point(target: Path, *, is_folder: bool) -> None:
    """A place to mount something on; what was mounted there goes first. Raises OSError."""
    unmount_below(target)
    if is_folder and target.is_file():
        target.unlink()
    elif not is_folder and target.is_dir():
        target.rmdir()
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_folder:
        target.mkdir(exist_ok=True)
    else:
        target.touch()


def bind(source: int, target: Path) -> None:
    """Mount what an open file is onto a path, without what is mounted below it. Raises OSError."""
    _mount("bind", f"/proc/self/fd/{source}".encode(), target, None, _MS_BIND)


def bind_read_only(source: Path, target: Path) -> None:
    """Mount a path with all that is mounted below it, none of which can be written through here. Raises OSError."""
    _mount("bind", os.fsencode(source), target, None, _MS_BIND | _MS_REC)
    _mount("part from its source", None, target, None, _MS_PRIVATE | _MS_REC)
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    path = ctypes.c_char_p(os.fsencode(target))
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    call = ctypes.c_long(_SYS_MOUNT_SETATTR)
    if _libc.syscall(call, ctypes.c_int(_AT_FDCWD), path, ctypes.c_uint(_AT_RECURSIVE), attributes, size):
        raise _error("make read-only", target)


def follow_only(target: Path) -> None:
    """Let a bind mount see what is mounted below its source, but not the other way round. Raises OSError."""
    _mount("part from its source", None, target, None, _MS_SLAVE)


def keep_to_itself(target: Path) -> None:
    """Cut the ties of a mount to its source. Raises OSError."""
    _mount("part from its source", None, target, None, _MS_PRIVATE)


def unmount(target: Path) -> None:
    """Unmount; a busy mount is detached at once and ends with its last user. Raises OSError."""
    _unmount(target, _MNT_DETACH | _UMOUNT_NOFOLLOW)


def unmount_below(folder: Path) -> None:
    """Unmount all that is mounted in a folder or on it, and nothing else. Raises OSError, EBUSY for what is in use:
    that stays."""
    points = _points(folder, itself=True)
    for point in points:
        keep_to_itself(point)
    for point in points:
        _unmount(point, _UMOUNT_NOFOLLOW)


def mounts_below(folder: Path) -> list[Path]:
    """The mount points in a folder, the deepest first."""
    return _points(folder, itself=False)


def _points(folder: Path, *, itself: bool) -> list[Path]:
    whole = os.fsencode(folder)
    with open("/proc/self/mountinfo", "rb") as table:
        points = [_ESCAPED.sub(_unescaped, line.split(b" ")[4]) for line in table]
    found = [Path(os.fsdecode(each)) for each in points if each.startswith(whole + b"/") or (itself and each == whole)]
    return sorted(found, key=lambda each: len(each.parts), reverse=True)


def _unmount(target: Path, flags: int) -> None:
    if _libc.umount2(os.fsencode(target), flags):
        raise _error("unmount", target)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 8),))


def _mount(what: str, source: bytes | None, target: Path, kind: bytes | None, flags: int, data: bytes = b"") -> None:
    if _libc.mount(source, os.fsencode(target), kind, ctypes.c_ulong(flags), data or None):
        raise _error(what, target)


def _error(what: str, target: Path) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"cannot {what}: {os.strerror(number)}", str(target))
