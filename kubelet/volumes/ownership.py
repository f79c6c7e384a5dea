"""A pod's fsGroup: whose a volume is, so that containers of any user in that group can use it.

Kubernetes' rules: everything in the volume gets the group, files may be read (and written, unless the volume is
read-only) by it, folders may be entered and hand the group down.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

FILE_READ, FILE_WRITE = 0o440, 0o660
_ENTER = stat.S_ISGID | 0o110
FOLDER_READ, FOLDER_WRITE = FILE_READ | _ENTER, FILE_WRITE | _ENTER


def give(volume: Path, group: int, policy: str | None = None) -> bool:
    """Hand a writable volume to the group; whether anything had to be done. Symbolic links are never followed.

    With the policy `OnRootMismatch` a volume whose top folder is the group's already is taken for done.
    """
    if policy == "OnRootMismatch" and _is_given(volume, group):
        return False
    # The top folder comes last: a run that was cut short is found unfinished.
    for folder, _, files, handle in os.fwalk(volume, topdown=False, follow_symlinks=False):
        for name in files:
            _hand(name, group, handle)
        if folder != str(volume):
            _hand(".", group, handle)
    _hand(str(volume), group, None)
    return True


def _is_given(volume: Path, group: int) -> bool:
    status = volume.stat()
    return status.st_gid == group and stat.S_IMODE(status.st_mode) & FOLDER_WRITE == FOLDER_WRITE


def _hand(name: str, group: int, folder: int | None) -> None:
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        os.chown(name, -1, group, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISLNK(mode):
            os.chmod(name, stat.S_IMODE(mode) | (FOLDER_WRITE if stat.S_ISDIR(mode) else FILE_WRITE), dir_fd=folder)
    except FileNotFoundError:
        return  # another pod that uses the volume has just removed it
