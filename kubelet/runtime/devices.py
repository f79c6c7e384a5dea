"""The machine's devices, as a privileged container gets them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

_OWN = frozenset({"pts", "shm", "fd", "mqueue", "console", ".lxc", ".lxd-mounts", ".udev"})
"""What every container has of its own, below `/dev`."""


def host_devices(folder: Path = Path("/dev")) -> list[str]:
    """The paths of all block and character devices."""
    return sorted(str(path) for each in folder.iterdir() if each.name not in _OWN for path in _devices(each))


def _devices(path: Path) -> Iterator[Path]:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            for each in path.iterdir():
                yield from _devices(each)
        elif stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
            yield path
    except OSError:
        return  # gone meanwhile, or another machine's that is mounted here
