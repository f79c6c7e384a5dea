"""hostPath volumes: what each type demands of the path on the node."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from api.types import core_v1
from kubelet.volumes.problem import MountError

_TESTS: dict[str, tuple[Callable[[int], bool], str]] = {
    "Directory": (stat.S_ISDIR, "is not a directory"),
    "File": (stat.S_ISREG, "is not a file"),
    "Socket": (stat.S_ISSOCK, "is not a socket"),
    "CharDevice": (stat.S_ISCHR, "is not a character device"),
    "BlockDevice": (stat.S_ISBLK, "is not a block device"),
}


def prepare(source: core_v1.HostPathVolumeSource) -> Path:
    """The path to bind, made if its type says so. Raises MountError."""
    path, kind = Path(source.path), source.type or ""
    if not kind:
        _make(path, "Directory")
    elif kind.endswith("OrCreate"):
        kind = kind.removesuffix("OrCreate")
        _make(path, kind)
    if kind in _TESTS:
        test, complaint = _TESTS[kind]
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise MountError(f"hostPath type check failed: {path} {complaint}") from error
        if not test(mode):
            raise MountError(f"hostPath type check failed: {path} {complaint}")
    elif kind:
        raise MountError(f"unknown hostPath type {kind!r}")
    return path


def _make(path: Path, kind: str) -> None:
    """What is missing is made, but no folder for a file. A link that leads nowhere is left to the engine to tell."""
    if os.path.lexists(path):
        return
    try:
        if kind == "Directory":
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        else:
            path.touch(mode=0o644)
    except OSError as error:
        raise MountError(f"hostPath cannot be made: {path}: {error.strerror}") from error
