"""Where a container's mounts come from on the node: its volumes, the name files, the termination message."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from api.types import core_v1
from kubelet.pod.create import Mount
from kubelet.pod.expand import expand
from kubelet.pod.problem import ConfigError
from kubelet.volumes import mount, sub_path
from kubelet.volumes.folders import PodFolder
from kubelet.volumes.problem import MountError
from kubelet.volumes.sub_path import SubPathError

REFERENCE = re.compile(r"\$\(([^)]+)\)")
TERMINATION_LOG = "/dev/termination-log"
MAX_MESSAGE = 4096
_PROPAGATION = {"HostToContainer": "rslave", "Bidirectional": "rshared"}


def container_mounts(
    spec: core_v1.PodSpec, container: core_v1.Container, folder: PodFolder, attempt: int, env: Mapping[str, str]
) -> list[Mount]:
    """The mounts, with what they need made on the node (a subPath, the message file). Blocks. Raises ConfigError."""
    volumes = {each.name: each for each in spec.volumes or ()}
    mounts = []
    for number, asked in enumerate(container.volumeMounts or ()):
        volume = volumes.get(asked.name)
        if volume is None:
            raise ConfigError(f'cannot find volume "{asked.name}" to mount into container "{container.name}"')
        try:
            mounts.append(_mount(volume, container, number, folder, env))
        except (MountError, SubPathError, OSError) as error:
            what = "prepare subPath for" if asked.subPath or asked.subPathExpr else "mount"
            where = f'volumeMount "{asked.name}" of container "{container.name}"'
            raise ConfigError(f"failed to {what} {where}: {error}") from error
    taken = {PurePosixPath(each.target) for each in mounts}
    for source, target in ((folder.hosts(), "/etc/hosts"), (folder.resolv_conf(), "/etc/resolv.conf")):
        if PurePosixPath(target) not in taken:
            mounts.append(Mount(str(source), target))
    message = folder.termination_log(container.name, attempt)
    message.parent.mkdir(parents=True, exist_ok=True)
    message.touch()
    message.chmod(0o666)  # whoever the container runs as, it may leave a message
    mounts.append(Mount(str(message), container.terminationMessagePath or TERMINATION_LOG))
    return mounts


def _mount(
    volume: core_v1.Volume, container: core_v1.Container, number: int, folder: PodFolder, env: Mapping[str, str]
) -> Mount:
    asked = (container.volumeMounts or ())[number]
    place = folder.place(volume)
    source, read_only = place.path, place.read_only or bool(asked.readOnly)
    part = _part(asked, env)
    if part:
        source = folder.sub_path(asked.name, container.name, number)
        sub_path.place(place.path, part, source, asked.mountPropagation or "")
    if asked.readOnly and asked.recursiveReadOnly in ("Enabled", "IfPossible"):
        source = _view(source, folder.read_only_view(asked.name, container.name, number), asked.recursiveReadOnly)
    target = asked.mountPath if asked.mountPath.startswith("/") else f"/{asked.mountPath}"
    return Mount(str(source), target, read_only, _PROPAGATION.get(asked.mountPropagation or "", ""))


def _part(asked: core_v1.VolumeMount, env: Mapping[str, str]) -> str:
    """The subPath. Raises ConfigError for an expression with a variable that isn't there."""
    if not asked.subPathExpr:
        return asked.subPath or ""
    part = expand(asked.subPathExpr, env)
    lacking = [name for name in REFERENCE.findall(asked.subPathExpr.replace("$$", "")) if name not in env]
    if lacking:
        raise ConfigError(f'missing value for "{lacking[0]}" in the subPathExpr of volumeMount "{asked.name}"')
    return part


def _view(source: Path, target: Path, mode: str) -> Path:
    """The source with all that is mounted below it read-only. A kernel without that (before 5.12) serves only those
    who can do without."""
    mount.make_point(target, is_folder=source.is_dir())
    try:
        mount.bind_read_only(source, target)
    except OSError as error:
        mount.unmount_below(target)
        if mode == "IfPossible" and error.errno == errno.ENOSYS:
            return source
        raise
    return target


def read_message(path: Path) -> str:
    """What the container left as its last words."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_MESSAGE).decode(errors="replace")
    except OSError:
        return ""
