"""A pod's folder on the node, and its volumes in it.

    <root>/pods/<uid>/volumes/kubernetes.io~<type>/<name>   one folder per volume
    <root>/pods/<uid>/etc-hosts, resolv.conf                the name files
    <root>/pods/<uid>/containers/<name>/<attempt>           termination messages

All blocking; the worker calls it in a thread.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from api.quantity import value
from api.types import core_v1
from kubelet.volumes import atomic, host_path, mount, payload
from kubelet.volumes.payload import Inputs, MountError


class PodFolder:
    """One pod's folder."""

    def __init__(self, root: Path, uid: str) -> None:
        self.path = root / "pods" / uid

    def exists(self) -> bool:
        return self.path.exists()

    def volume(self, volume: core_v1.Volume) -> Path:
        """Where the volume lies."""
        if volume.hostPath is not None:
            return Path(volume.hostPath.path)
        return self.path / "volumes" / f"kubernetes.io~{_type(volume)}" / volume.name

    def set_up(self, spec: core_v1.PodSpec, inputs: Inputs) -> None:
        """Make every volume; what is there already stays. Raises MountError or OSError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o750)
        group = spec.securityContext.fsGroup if spec.securityContext else None
        for volume in spec.volumes or ():
            try:
                self._set_up(volume, inputs, group)
            except (MountError, atomic.PathError) as error:
                raise MountError(f'MountVolume.SetUp failed for volume "{volume.name}" : {error}') from error

    def refresh(self, spec: core_v1.PodSpec, inputs: Inputs) -> list[str]:
        """Write the volumes made from objects anew; the names of those that changed. Raises MountError or OSError."""
        group = spec.securityContext.fsGroup if spec.securityContext else None
        volumes = [each for each in spec.volumes or () if payload.is_made_from_objects(each)]
        return [each.name for each in volumes if atomic.write(self.volume(each), payload.files(each, inputs), group)]

    def _set_up(self, volume: core_v1.Volume, inputs: Inputs, group: int | None) -> None:
        if volume.hostPath is not None:
            host_path.prepare(volume.hostPath)
            return
        target = self.volume(volume)
        target.mkdir(parents=True, exist_ok=True)
        if volume.emptyDir is not None:
            self._empty(volume.emptyDir, target, group)
        elif payload.is_made_from_objects(volume):
            files = payload.files(volume, inputs)
            if (volume.secret is not None or volume.projected is not None) and not os.path.ismount(target):
                mount.mount_tmpfs(target, mode="0755")
            atomic.write(target, files, group)
        else:
            raise MountError(f"the volume type {_type(volume)} is not supported")

    def _empty(self, source: core_v1.EmptyDirVolumeSource, target: Path, group: int | None) -> None:
        if source.medium == "Memory":
            if not os.path.ismount(target):
                mount.mount_tmpfs(target, size=value(source.sizeLimit) if source.sizeLimit else 0)
        elif source.medium not in (None, ""):
            raise MountError(f"the emptyDir medium {source.medium!r} is not supported")
        target.chmod(0o777 if group is None else 0o2777)
        if group is not None:
            os.chown(target, -1, group)

    def hosts(self) -> Path:
        return self.path / "etc-hosts"

    def resolv_conf(self) -> Path:
        return self.path / "resolv.conf"

    def termination_log(self, container: str, attempt: int) -> Path:
        return self.path / "containers" / container / str(attempt)

    def write(self, path: Path, text: str) -> None:
        """Write in place: containers have the file itself mounted, not its name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)

    def remove(self) -> None:
        """Unmount what is mounted in the folder, then remove it. Raises OSError."""
        for point in mount.mounts_below(self.path):
            mount.unmount(point)
        if self.path.exists():
            shutil.rmtree(self.path)


def _type(volume: core_v1.Volume) -> str:
    """The volume's type as its folder's name has it: `empty-dir`."""
    for name in volume.__struct_fields__:
        if name != "name" and getattr(volume, name) is not None:
            return "".join(f"-{ch.lower()}" if ch.isupper() else ch for ch in name).replace("-a-p-i", "-api")
    return "empty-dir"
