"""What `cp` is told: which side is the pod's, and what lies where. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from kubectl.errors import CliError


@dataclass(frozen=True)
class Spec:
    """`[[NAMESPACE/]POD:]PATH`; without a pod the path is a local one."""

    path: str
    pod: str = ""
    namespace: str = ""


def parse(text: str) -> Spec:
    """Raises CliError. A path that begins with a slash or a dot is a local one, colons or not."""
    before, colon, path = text.partition(":")
    if not colon or before.startswith((".", "/")):
        return Spec(text)
    namespace, slash, pod = before.rpartition("/")
    if "/" in namespace:
        return Spec(text)
    if not pod or (slash and not namespace):
        raise CliError("filespec must match the canonical format: [[namespace/]pod:]file/path")
    return Spec(path, pod, namespace)


def name_of(path: str) -> str:
    """The last part, by which a copy is called."""
    return posixpath.basename(posixpath.normpath(path))


def inside(member: str, source: str) -> str | None:
    """Where below the target a member of the pod's archive belongs; empty for what `source` itself is, and None for
    one that lies elsewhere. tar leaves off slashes and dots that a path begins with."""
    root = _plain(source)
    name = _plain(member)
    if root in (".", ""):
        return "" if name == "." else name
    if name == root:
        return ""
    return name[len(root) + 1 :] if name.startswith(f"{root}/") else None


def _plain(path: str) -> str:
    path = posixpath.normpath(path.lstrip("/") or ".")
    while path.startswith("../"):
        path = path[3:]
    return "." if path == ".." else path
