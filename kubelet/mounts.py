"""Where a container's mounts come from on the node: its volumes, the name files, the termination message."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from api.types import core_v1
from kubelet.pod.create import Mount
from kubelet.pod.env import ConfigError
from kubelet.pod.expand import expand
from kubelet.volumes.folders import PodFolder

TERMINATION_LOG = "/dev/termination-log"
MAX_MESSAGE = 4096
_PROPAGATION = {"HostToContainer": "rslave", "Bidirectional": "rshared"}


def container_mounts(
    spec: core_v1.PodSpec, container: core_v1.Container, folder: PodFolder, attempt: int, env: dict[str, str]
) -> list[Mount]:
    """The mounts, with what they need made on the node (a subPath, the message file). Raises ConfigError."""
    volumes = {each.name: each for each in spec.volumes or ()}
    mounts = []
    for asked in container.volumeMounts or ():
        volume = volumes.get(asked.name)
        if volume is None:
            raise ConfigError(f'cannot find volume "{asked.name}" to mount into container "{container.name}"')
        source = _sub_path(folder.volume(volume), asked, env)
        propagation = _PROPAGATION.get(asked.mountPropagation or "", "")
        mounts.append(Mount(str(source), asked.mountPath, bool(asked.readOnly), propagation))
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


def _sub_path(base: Path, asked: core_v1.VolumeMount, env: dict[str, str]) -> Path:
    """The part of the volume to mount, made as a folder if it isn't there. Raises ConfigError if it leads out of it."""
    part = expand(asked.subPathExpr, env) if asked.subPathExpr else asked.subPath or ""
    if not part:
        return base
    if PurePosixPath(part).is_absolute() or ".." in PurePosixPath(part).parts:
        raise ConfigError(f"subPath {part!r} must be a relative path and must not contain '..'")
    inside = (base / part).resolve()
    if not inside.is_relative_to(base.resolve()):
        raise ConfigError(f"subPath {part!r} leads out of the volume {asked.name!r}")
    if not inside.exists():
        inside.mkdir(parents=True, mode=0o755)
    return inside


def read_message(path: Path) -> str:
    """What the container left as its last words."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_MESSAGE).decode(errors="replace")
    except OSError:
        return ""
