"""Where cgroups lie on this machine: one hierarchy for each controller (v1) or one for all (v2), named by paths
(cgroupfs) or by slices (systemd).

A cgroup is known by its path below those hierarchies, without a leading slash: `kubepods/burstable/pod1234`. What
Docker wants written as a container's parent is another matter (`kubelet.pod.resources.cgroup_parent`).
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def is_unified(root: Path = ROOT) -> bool:
    """Whether the machine has cgroup v2 only."""
    return (root / "cgroup.controllers").exists()


@dataclass(frozen=True, slots=True)
class Tree:
    """This machine's hierarchies. Make it with `Tree.of(driver)`."""

    root: Path
    driver: str
    unified: bool

    @classmethod
    def of(cls, driver: str = "cgroupfs", root: Path = ROOT) -> Tree:
        return cls(root, driver, is_unified(root))

    def path(self, parent: str) -> str:
        """The cgroup that Docker calls `parent`."""
        return slice_path(parent) if self.driver == "systemd" else parent.strip("/")

    def container(self, parent: str, container_id: str) -> str:
        """The cgroup that Docker makes for a container below `parent`."""
        name = f"docker-{container_id}.scope" if self.driver == "systemd" else container_id
        return f"{self.path(parent)}/{name}"

    def folder(self, path: str, controller: str) -> Path:
        """The cgroup's folder in a controller's hierarchy, whether it is there or not. The root's path is empty."""
        return self.root / path if self.unified else self.root / controller / path

    def folders(self, path: str) -> list[Path]:
        """The cgroup's folder in each hierarchy that has it."""
        if not path:
            return []
        found = [self.root] if self.unified else [each for each in self.root.iterdir() if _is_hierarchy(each)]
        return [base / path for base in found if (base / path).is_dir()]

    def has(self, controller: str) -> bool:
        """Whether this machine has a controller."""
        if not self.unified:
            return (self.root / controller).is_dir()
        return controller in (self.root / "cgroup.controllers").read_text().split()

    def remove(self, path: str) -> None:
        """Remove the cgroup with what is empty below it. One that still holds processes stays."""
        for folder in self.folders(path):
            for each, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(each)


def _is_hierarchy(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink()


def slice_path(name: str) -> str:
    """systemd nests slices by the dashes in their names: `a-b.slice` lies in `a.slice/a-b.slice`."""
    parts = name.removesuffix(".slice").split("-")
    return "/".join("-".join(parts[: count + 1]) + ".slice" for count in range(len(parts))) if name else ""
