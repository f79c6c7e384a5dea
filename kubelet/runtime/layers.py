"""Reads a file of an image where the engine keeps it: its layers lie on this machine as folders (overlay2).

Nothing in a layer is trusted: a link in it would lead into the machine's own files. Whatever is not a plain file in a
plain folder is left to the engine, which knows how to look inside.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPAQUE = "trusted.overlay.opaque"


class Unsure(Exception):
    """Only the engine can tell what lies there."""


def layers(image: Mapping[str, Any]) -> list[str]:
    """The folders of an image's layers by Docker's description of it, the uppermost first. Raises Unsure."""
    driver = image.get("GraphDriver") or {}
    data = driver.get("Data") or {}
    if driver.get("Name") != "overlay2" or not data.get("UpperDir"):
        raise Unsure("the image's layers are not kept as folders")
    return [data["UpperDir"], *filter(None, (data.get("LowerDir") or "").split(":"))]


def read(folders: Sequence[str], path: str, most: int) -> bytes:
    """The file at an absolute path; empty if there is none. Raises Unsure."""
    *parents, name = PurePosixPath(path).parts[1:]
    for folder in folders:
        holder = _enter(folder, parents)
        if holder is None:
            continue
        try:
            found = _content(holder, name, most)
        finally:
            os.close(holder)
        if found is not None:
            return found
    return b""


def _enter(folder: str, parents: Sequence[str]) -> int | None:
    """A descriptor of the folder that a path leads to in a layer; None if the layer has no such folder."""
    try:
        holder = os.open(folder, _FOLDER)
    except OSError as error:
        raise Unsure(str(error)) from error  # the engine may see another part of the machine's files than we do
    for name in parents:
        try:
            inner = os.open(name, _FOLDER, dir_fd=holder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unsure(str(error)) from error
        finally:
            os.close(holder)
        holder = inner
    return holder


def _content(holder: int, name: str, most: int) -> bytes | None:
    """None if the layer says nothing of the file; nothing at all if it says that there is none."""
    try:
        if stat.S_ISCHR(os.stat(name, dir_fd=holder, follow_symlinks=False).st_mode):
            return b""  # that is how a layer says that a file of those below is gone
        with os.fdopen(os.open(name, _FILE, dir_fd=holder), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unsure(f"{name} is no plain file")
            return file.read(most)
    except FileNotFoundError:
        return b"" if _is_opaque(holder) else None
    except OSError as error:
        raise Unsure(str(error)) from error


def _is_opaque(holder: int) -> bool:
    """Whether the layer's folder hides those of the layers below."""
    try:
        return os.getxattr(holder, _OPAQUE) == b"y"
    except OSError:
        return False
