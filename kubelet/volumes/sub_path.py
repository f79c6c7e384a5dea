"""A part of a volume, mounted by itself: `subPath`.

A container that can write to the volume can put a symbolic link anywhere in it at any moment. So the part is opened
step by step from the volume's own folder, no step through a link, and what was opened is bind-mounted to a place in the
pod's folder: Docker is given that place, which nobody but the kubelet can change.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kubelet.volumes import mount

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ANY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class SubPathError(ValueError):
    """A subPath that can't be had, or must not."""


def place(volume: Path, part: str, target: Path, propagation: str = "") -> None:
    """Bind-mount a part of the volume onto `target`; a part that isn't there is made as a folder.

    Raises SubPathError, or OSError.
    """
    opened = open_part(volume, part)
    try:
        mount.make_point(target, is_folder=stat.S_ISDIR(os.fstat(opened).st_mode))
        mount.bind(opened, target)
        if propagation == "HostToContainer":
            mount.follow_only(target)
        elif propagation != "Bidirectional":
            mount.keep_to_itself(target)
    finally:
        os.close(opened)


def open_part(volume: Path, part: str) -> int:
    """An O_PATH descriptor of what lies at `part` below the volume. Links in it may lead anywhere below the volume."""
    base = volume.resolve()
    inside = (base / part).resolve()
    if os.path.isabs(part) or ".." in Path(part).parts or not inside.is_relative_to(base):
        raise SubPathError(f"subPath {part!r} leads out of the volume")
    steps = inside.relative_to(base).parts
    folder = os.open(base, _FOLDER)
    mode = stat.S_IMODE(os.fstat(folder).st_mode)
    try:
        for step in steps[:-1]:
            inner = _enter(folder, step, mode, _FOLDER)
            os.close(folder)
            folder = inner
        opened = _enter(folder, steps[-1] if steps else ".", mode, _ANY)
    except OSError as error:
        raise SubPathError(f"subPath {part!r}: {error.strerror}") from error
    finally:
        os.close(folder)
    if stat.S_ISLNK(os.fstat(opened).st_mode):
        os.close(opened)
        raise SubPathError(f"subPath {part!r} has become a symbolic link")
    return opened


def _enter(folder: int, name: str, mode: int, flags: int) -> int:
    """Open a name in a folder; what isn't there is made as a folder with the volume's own mode."""
    try:
        return os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        os.mkdir(name, dir_fd=folder)
    made = os.open(name, _FOLDER, dir_fd=folder)
    try:
        os.fchmod(made, mode | stat.S_IMODE(os.fstat(made).st_mode) & stat.S_ISGID)
    finally:
        os.close(made)
    return os.open(name, flags, dir_fd=folder)
