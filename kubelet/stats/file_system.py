"""How full a file system is, and how much of it a folder takes. Blocking; a large folder takes its time, so call it
from a thread."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = 512
"""What `st_blocks` counts in."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """Bytes and inodes. `available` is what a process without privileges may still write."""

    device: int
    capacity: int
    available: int
    inodes: int
    inodes_free: int

    @property
    def used(self) -> int:
        return self.capacity - self.available

    @property
    def inodes_used(self) -> int:
        return self.inodes - self.inodes_free


@dataclass(frozen=True, slots=True)
class Taken:
    """What files take: bytes of their blocks, and inodes."""

    bytes: int = 0
    inodes: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.bytes + other.bytes, self.inodes + other.inodes)


NOTHING = Taken()


def file_system(path: Path) -> FileSystem:
    """The file system that `path` lies on. Raises OSError."""
    told = os.statvfs(path)
    return FileSystem(
        os.stat(path).st_dev,
        told.f_frsize * told.f_blocks,
        told.f_frsize * told.f_bavail,
        told.f_files,
        told.f_ffree,
    )


def taken(folder: Path) -> Taken:
    """What the folder and all in it take on its own file system; a file with several names counts once. What vanishes
    meanwhile, or is not there, counts nothing."""
    try:
        top = os.lstat(folder)
    except OSError:
        return Taken()
    total, seen = Taken(top.st_blocks * BLOCK, 1), set[int]()
    folders = [str(folder)]
    while folders:
        for entry, found in _entries(folders.pop()):
            if found.st_dev != top.st_dev or found.st_ino in seen:
                continue
            if stat.S_ISDIR(found.st_mode):
                folders.append(entry)
            elif found.st_nlink > 1:
                seen.add(found.st_ino)
            total += Taken(found.st_blocks * BLOCK, 1)
    return total


def _entries(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    yield entry.path, entry.stat(follow_symlinks=False)
    except OSError:
        return  # gone, or not ours to read
