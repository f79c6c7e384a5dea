"""A pod's own cgroup: Docker makes it as a parent and leaves it behind; it is removed here, in every hierarchy (v1)
or the one (v2)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def is_unified(root: Path = ROOT) -> bool:
    return (root / "cgroup.controllers").exists()


def folders(parent: str, driver: str, root: Path = ROOT) -> list[Path]:
    """Where the cgroup lies, in each hierarchy that has it."""
    relative = _slice_path(parent) if driver == "systemd" else parent.lstrip("/")
    bases = [root] if is_unified(root) else [each for each in root.iterdir() if each.is_dir() and not each.is_symlink()]
    return [base / relative for base in bases if relative and (base / relative).is_dir()]


def remove(parent: str, driver: str, root: Path = ROOT) -> None:
    """Remove the cgroup with what is empty below it. One that still holds processes stays."""
    for folder in folders(parent, driver, root):
        for path, _, _ in os.walk(folder, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(path)


def _slice_path(name: str) -> str:
    """systemd nests slices by the dashes in their names: `a-b.slice` lies in `a.slice/a-b.slice`."""
    parts = name.removesuffix(".slice").split("-")
    return "/".join("-".join(parts[: count + 1]) + ".slice" for count in range(len(parts)))
