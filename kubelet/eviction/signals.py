"""What is left on this node of what can run short. Blocking, and quick: no folder is walked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kubelet.cgroups.stats import read
from kubelet.cgroups.tree import Tree
from kubelet.eviction import thresholds
from kubelet.eviction.decide import Observation, Observations
from kubelet.stats.file_system import file_system

PROC = Path("/proc")


@dataclass(frozen=True)
class Place:
    """Where to look."""

    tree: Tree
    root: Path
    """The kubelet's folder."""
    engine_root: Path
    all_pods: str
    """The cgroup above all pods'."""
    memory: int
    """The machine's."""


def observe(place: Place, proc: Path = PROC) -> Observations:
    """What can't be read is left out: nothing is concluded from it."""
    found = _memory(place) | _processes(proc)
    found |= _disk(place.root, thresholds.NODE_FS, thresholds.NODE_INODES)
    found |= _disk(place.engine_root, thresholds.IMAGE_FS, thresholds.IMAGE_INODES)
    return found | _disk(place.engine_root, thresholds.CONTAINER_FS, thresholds.CONTAINER_INODES)


def _memory(place: Place) -> dict[str, Observation]:
    found = {}
    if (memory := read(place.tree, "").memory) is not None:
        found[thresholds.MEMORY] = Observation(max(place.memory - memory.working_set, 0), place.memory)
    pods = read(place.tree, place.all_pods).memory
    if pods is not None and pods.limit is not None:
        left = max(pods.limit - pods.working_set, 0)
        found[thresholds.ALLOCATABLE_MEMORY] = Observation(left, pods.limit)
    return found


def _disk(path: Path, room: str, inodes: str) -> dict[str, Observation]:
    try:
        disk = file_system(path)
    except OSError:
        return {}
    return {
        room: Observation(disk.available, disk.capacity),
        # Some file systems (btrfs) have as many as they need, and tell none.
        **({inodes: Observation(disk.inodes_free, disk.inodes)} if disk.inodes else {}),
    }


def _processes(proc: Path) -> dict[str, Observation]:
    try:
        most = min(int((proc / "sys/kernel" / name).read_text()) for name in ("pid_max", "threads-max"))
        running = int((proc / "loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return {}
    return {thresholds.PIDS: Observation(max(most - running, 0), most)}
