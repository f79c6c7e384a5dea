"""The kinds of PersistentVolume that a node can mount by itself: a local folder, a path of the host, an NFS export."""

from __future__ import annotations

from pathlib import Path

from api.types import core_v1
from kubelet.volumes import host_path, nfs, ownership
from kubelet.volumes.problem import MountError


def place(volume: core_v1.PersistentVolume, pod_volumes: Path) -> Path:
    """Where the volume lies, or will once it is mounted. Raises MountError for a kind that isn't known."""
    spec = volume.spec
    assert spec is not None
    assert volume.metadata is not None
    if spec.hostPath is not None:
        return Path(spec.hostPath.path)
    if spec.local is not None:
        return Path(spec.local.path)
    if spec.nfs is not None:
        return pod_volumes / "kubernetes.io~nfs" / (volume.metadata.name or "")
    raise MountError("no volume plugin matched")


def set_up(volume: core_v1.PersistentVolume, target: Path, security: core_v1.PodSecurityContext | None) -> None:
    """Make it ready at `target`. Raises MountError or OSError."""
    spec = volume.spec
    assert spec is not None
    if spec.hostPath is not None:
        host_path.prepare(spec.hostPath)
    elif spec.nfs is not None:
        nfs.set_up(spec.nfs, target, spec.mountOptions or ())
    elif spec.local is not None:
        if not target.exists():
            raise MountError(f'path "{target}" does not exist')
        if not target.is_dir():
            raise MountError(f'path "{target}" is not a folder: local block devices are not supported')
        if security is not None and security.fsGroup is not None:
            ownership.give(target, security.fsGroup, security.fsGroupChangePolicy)


def is_read_only(volume: core_v1.PersistentVolume) -> bool:
    """Whether the volume itself may only be read."""
    source = volume.spec.nfs if volume.spec else None
    return bool(source is not None and source.readOnly)
