"""A pod's folder on the node, and its volumes in it.

    <root>/pods/<uid>/volumes/kubernetes.io~<type>/<name>   one folder per volume
    <root>/pods/<uid>/etc-hosts, resolv.conf                the name files
    <root>/pods/<uid>/containers/<name>/<attempt>           termination messages

All blocking; the worker calls it in a thread.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from api.types import core_v1
from kubelet.volumes import atomic, empty_dir, host_path, mount, nfs, payload, persistent, tree
from kubelet.volumes.claims import Claimed
from kubelet.volumes.payload import Inputs
from kubelet.volumes.problem import MountError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a volume lies on the node, and whether it may only be read whatever its mounts say."""

    path: Path
    read_only: bool = False


class PodFolder:
    """One pod's folder."""

    def __init__(self, root: Path, uid: str) -> None:
        self.path = root / "pods" / uid
        self._claimed: Claimed = {}

    def exists(self) -> bool:
        return self.path.exists()

    def place(self, volume: core_v1.Volume) -> Place:
        """Where the volume lies. Raises MountError for a claim's that hasn't been set up."""
        if volume.hostPath is not None:
            return Place(Path(volume.hostPath.path))
        if volume.persistentVolumeClaim is not None or volume.ephemeral is not None:
            found = self._claimed.get(volume.name)
            if found is None:
                raise MountError(f'the claim of volume "{volume.name}" has not been looked up')
            claim = volume.persistentVolumeClaim
            read_only = bool(claim and claim.readOnly) or persistent.is_read_only(found)
            return Place(persistent.place(found, self.path / "volumes"), read_only)
        own = self.path / "volumes" / f"kubernetes.io~{_type(volume)}" / volume.name
        return Place(own, payload.is_made_from_objects(volume) or bool(volume.nfs and volume.nfs.readOnly))

    def set_up(self, spec: core_v1.PodSpec, inputs: Inputs, claimed: Claimed | None = None) -> None:
        """Make every volume; what is there already stays. Raises MountError or OSError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._claimed = claimed or {}
        for volume in spec.volumes or ():
            try:
                self._set_up(volume, spec, inputs)
            except (MountError, atomic.PathError, OSError) as error:
                raise MountError(_failed(volume, error)) from error

    def refresh(self, spec: core_v1.PodSpec, inputs: Inputs) -> list[str]:
        """Write the volumes made from objects anew; the names of those that changed. Raises MountError once all that
        can be are written: a ConfigMap that is gone must not keep a token from being renewed."""
        group = _group(spec)
        changed, wrong = [], []
        for volume in spec.volumes or ():
            if payload.is_made_from_objects(volume):
                try:
                    if atomic.write(self.place(volume).path, payload.files(volume, inputs), group):
                        changed.append(volume.name)
                except (MountError, atomic.PathError, OSError) as error:
                    wrong.append(_failed(volume, error))
        if wrong:
            raise MountError("; ".join(wrong))
        return changed

    def _set_up(self, volume: core_v1.Volume, spec: core_v1.PodSpec, inputs: Inputs) -> None:
        target = self.place(volume).path
        if volume.hostPath is not None:
            host_path.prepare(volume.hostPath)
        elif volume.name in self._claimed:
            persistent.set_up(self._claimed[volume.name], target, spec.securityContext)
        elif volume.emptyDir is not None:
            empty_dir.set_up(volume.emptyDir, target, spec, inputs.node_memory)
        elif volume.nfs is not None:
            nfs.set_up(volume.nfs, target)
        elif payload.is_made_from_objects(volume):
            files = payload.files(volume, inputs)
            target.mkdir(parents=True, exist_ok=True)
            # Secrets must not reach the disk.
            if (volume.secret is not None or volume.projected is not None) and not os.path.ismount(target):
                mount.mount_tmpfs(target, mode="0755")
            atomic.write(target, files, _group(spec))
        else:
            raise MountError(f"{_type(volume)} volumes are not supported")

    def sub_path(self, volume: str, container: str, number: int) -> Path:
        """Where the part of a volume is mounted that a container's `number`th mount asks for."""
        return self.path / "volume-subpaths" / volume / container / str(number)

    def read_only_view(self, volume: str, container: str, number: int) -> Path:
        """Where a volume is mounted with everything below it read-only, for one mount of a container."""
        return self.path / "volume-views" / volume / container / str(number)

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
        """Unmount what is mounted in the folder, then remove it. Raises OSError: what is in use stays, and can be
        removed later."""
        mount.unmount_below(self.path)
        tree.remove(self.path)


def _group(spec: core_v1.PodSpec) -> int | None:
    return spec.securityContext.fsGroup if spec.securityContext else None


def _failed(volume: core_v1.Volume, error: Exception) -> str:
    words = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.strerror else str(error)
    return f'MountVolume.SetUp failed for volume "{volume.name}" : {words}'


def _type(volume: core_v1.Volume) -> str:
    """The volume's type as its folder's name has it: `empty-dir`."""
    for name in volume.__struct_fields__:
        if name != "name" and getattr(volume, name) is not None:
            return "".join(f"-{ch.lower()}" if ch.isupper() else ch for ch in name).replace("-a-p-i", "-api")
    return "empty-dir"
