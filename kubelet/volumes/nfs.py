"""NFS volumes: mounted by the machine's own mount(8), which knows the protocol's versions and helpers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from api.types import core_v1
from kubelet.volumes.problem import MountError

_PATIENCE = 60.0
"""Seconds that a server may take to answer."""


def argv(source: core_v1.NFSVolumeSource, target: Path, options: Sequence[str] = ()) -> list[str]:
    """The command that mounts the volume. No shell sees it; but mount(8) hands the server's name on to a program of its
    own, which would take a dash for a flag's. Raises MountError."""
    if source.server.startswith("-"):
        raise MountError(f"no server can be called {source.server!r}")
    server = f"[{source.server}]" if ":" in source.server else source.server
    chosen = [*(("ro",) if source.readOnly else ()), *options]
    words = ["-o", ",".join(chosen)] if chosen else []
    return ["mount", "-t", "nfs", *words, "--", f"{server}:{source.path}", str(target)]


def set_up(source: core_v1.NFSVolumeSource, target: Path, options: Sequence[str] = ()) -> None:
    """Mount it, unless it is mounted. Raises MountError with what mount(8) said."""
    target.mkdir(parents=True, exist_ok=True)
    if os.path.ismount(target):
        return
    command = argv(source, target, options)
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise MountError(f"mount failed: {source.server} did not answer in {_PATIENCE:.0f} s") from error
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise MountError(f"mount failed: {said}; mounting command: {' '.join(command)}")
