"""Writes a volume's files so that a reader sees all of the old ones or all of the new ones.

The files live in a folder named by the time; `..data` is a symbolic link to it that is swapped by one rename; and each
name at the top is a link through `..data`. This is the layout that Kubernetes' own volumes have.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kubelet.volumes import tree
from kubelet.volumes.ownership import FILE_READ, FOLDER_READ

DATA = "..data"
_FRESH_LINK = "..data_tmp"


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    mode: int = 0o644
    user: int | None = None
    """Who owns it, if not root."""


class PathError(ValueError):
    """A file's path that would lead out of the volume."""


def write(volume: Path, files: Mapping[str, File], group: int | None = None) -> bool:
    """Make the volume hold just these files, for `group` to read. Returns whether anything changed."""
    for path in files:
        check_path(path)
    current = volume / DATA
    if current.is_dir() and _same(current, files, group):
        return False
    fresh = Path(tempfile.mkdtemp(prefix=time.strftime("..%Y_%m_%d_%H_%M_%S."), dir=volume))
    fresh.chmod(0o755)
    for path, file in files.items():
        _put(fresh, path, file, group)
    for folder in (volume, fresh, *(each for each in fresh.rglob("*") if each.is_dir())):
        _share(folder, group, FOLDER_READ)
    link = volume / _FRESH_LINK
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    link.rename(current)
    _link_top(volume, files)
    _forget_old(volume, fresh.name)
    return True


def check_path(path: str) -> None:
    """Raises PathError."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or parts[0].startswith(".."):
        raise PathError(f"invalid path {path!r}: must be relative and must not contain or start with '..'")


def _put(folder: Path, path: str, file: File, group: int | None) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.content)
    if file.user is not None:
        os.chown(target, file.user, -1)
    target.chmod(file.mode)
    _share(target, group, FILE_READ)


def _share(path: Path, group: int | None, bits: int) -> None:
    if group is not None:
        os.chown(path, -1, group)
        path.chmod(path.stat().st_mode & 0o7777 | bits)


def _same(folder: Path, files: Mapping[str, File], group: int | None) -> bool:
    there = {str(each.relative_to(folder)): each for each in folder.rglob("*") if each.is_file()}
    shared = 0 if group is None else FILE_READ
    return there.keys() == files.keys() and all(
        each.stat().st_mode & 0o7777 == files[path].mode | shared and each.read_bytes() == files[path].content
        for path, each in there.items()
    )


def _link_top(volume: Path, files: Mapping[str, File]) -> None:
    """One link for each first path component; links to what is no longer there go."""
    wanted = {PurePosixPath(path).parts[0] for path in files}
    for name in wanted:
        link = volume / name
        if not link.is_symlink():
            link.symlink_to(Path(DATA) / name)
    for entry in volume.iterdir():
        if entry.is_symlink() and entry.name != DATA and entry.name not in wanted:
            entry.unlink()


def _forget_old(volume: Path, current: str) -> None:
    """Remove the folders of earlier rounds, those that were cut short, too."""
    for entry in volume.iterdir():
        if entry.name.startswith("..") and entry.name != current and not entry.is_symlink():
            tree.remove(entry)
