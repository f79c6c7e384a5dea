"""Removes a folder with what is in it, but never what is mounted there: a volume whose unmounting failed keeps its
data.

A bind mount of the same file system has the same device number, so the kernel's own number of the mount decides. It is
asked of the opened folder itself, and everything goes by open folders: no link and no mount that comes in between can
lead the removal elsewhere. One folder is open at a time: a pod may have nested them as deep as it likes.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(path: Path) -> None:
    """Remove a folder; one that is not there is no error. Raises OSError (EBUSY for a mount in it or on it)."""
    try:
        folder = os.open(path.parent, _OPEN)
    except FileNotFoundError:
        return
    if not os.path.lexists(path):
        os.close(folder)
        return
    walk = _Walk(folder)
    try:
        walk.enter(path.name)
        while walk.path:
            if walk.pending[-1]:
                walk.enter(walk.pending[-1].pop())
            else:
                walk.leave()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path.parent.joinpath(*walk.path))) from error
    finally:
        os.close(walk.folder)


def mount_id(descriptor: int) -> str:
    """Which mount an open file lies on."""
    with open(f"/proc/self/fdinfo/{descriptor}") as facts:
        return next(line.split()[1] for line in facts if line.startswith("mnt_id:"))


class _Walk:
    """Where the removal is: the open folder, the names that lead to it, and the folders still to be entered."""

    def __init__(self, folder: int) -> None:
        self.folder = folder
        self.path: list[str] = []
        self.pending: list[list[str]] = []
        self._mount = mount_id(folder)
        self._parents: list[tuple[int, int]] = []

    def enter(self, name: str) -> None:
        """Go into a folder and unlink all that is no folder."""
        self._parents.append(_identity(self.folder))
        self.path.append(name)
        self._move(os.open(name, _OPEN, dir_fd=self.folder))
        if mount_id(self.folder) != self._mount:
            raise OSError(errno.EBUSY, "something is mounted here")
        folders = []
        with os.scandir(self.folder) as listed:
            for each in listed:
                if stat.S_ISDIR(each.stat(follow_symlinks=False).st_mode):
                    folders.append(each.name)
                else:
                    os.unlink(each.name, dir_fd=self.folder)
        self.pending.append(folders)

    def leave(self) -> None:
        """Go back to the folder that this one was entered from, and remove this one, which is empty."""
        self._move(os.open("..", _OPEN, dir_fd=self.folder))
        if _identity(self.folder) != self._parents.pop():
            raise OSError(errno.EBUSY, "moved while it was removed")
        self.pending.pop()
        os.rmdir(self.path[-1], dir_fd=self.folder)
        self.path.pop()

    def _move(self, folder: int) -> None:
        os.close(self.folder)
        self.folder = folder


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
