"""One look at what everything on the node uses. Blocking: small files of the kernel's, a few for each container."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kubelet.cgroups.stats import Usage, read
from kubelet.cgroups.tree import Tree
from kubelet.stats.file_system import FileSystem, Taken, file_system

MAX_PIDS = Path("/proc/sys/kernel/pid_max")


@dataclass(frozen=True, slots=True)
class Interface:
    """Counters of one network interface."""

    name: str
    rx_bytes: int = 0
    rx_packets: int = 0
    rx_errors: int = 0
    rx_dropped: int = 0
    tx_bytes: int = 0
    tx_packets: int = 0
    tx_errors: int = 0
    tx_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Swap:
    total: int = 0
    free: int = 0


@dataclass(frozen=True, slots=True)
class RosterContainer:
    """A running container to look at. `cgroup` is its path; `id` Docker's."""

    name: str
    id: str
    image: str
    cgroup: str
    started_at: float
    writable: Path | None = None
    logs: Path | None = None
    spec: Mapping[str, int] = field(default_factory=dict)
    """What it was given: `cpu_shares`, `cpu_period`, `cpu_quota`, `memory_limit`."""


@dataclass(frozen=True, slots=True)
class RosterPod:
    """A pod to look at. `sandbox` is the cgroup of its pause container, whose network is the pod's."""

    name: str
    namespace: str
    uid: str
    started_at: float
    cgroup: str
    sandbox: RosterContainer | None
    containers: tuple[RosterContainer, ...]
    volumes: tuple[tuple[str, str, Path], ...] = ()
    """Name, claim (or nothing), folder."""
    host_network: bool = False


@dataclass(frozen=True, slots=True)
class ContainerSample:
    of: RosterContainer
    at: float
    usage: Usage
    writable: Taken | None = None
    logs: Taken | None = None


@dataclass(frozen=True, slots=True)
class VolumeSample:
    name: str
    claim: str
    taken: Taken | None
    disk: FileSystem | None


@dataclass(frozen=True, slots=True)
class PodSample:
    of: RosterPod
    at: float
    usage: Usage
    containers: tuple[ContainerSample, ...]
    sandbox: ContainerSample | None = None
    network: tuple[Interface, ...] = ()
    volumes: tuple[VolumeSample, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeSample:
    at: float
    usage: Usage
    pods: tuple[PodSample, ...] = ()
    all_pods: Usage = field(default_factory=Usage)
    network: tuple[Interface, ...] = ()
    disk: FileSystem | None = None
    images: FileSystem | None = None
    swap: Swap = Swap()
    max_pids: int = 0
    processes: int = 0


Measured = Callable[[Path], Taken | None]
"""What a folder takes, if that is known."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look."""

    tree: Tree
    root: Path
    """The kubelet's folder."""
    engine_root: Path
    all_pods: str
    """The cgroup above all pods'."""


def take(place: Place, roster: Sequence[RosterPod], measured: Measured, *, only_cpu_and_memory: bool) -> NodeSample:
    """Look at everything; without disks and networks if only CPU and memory are wanted."""
    tree, full = place.tree, not only_cpu_and_memory
    pods = tuple(_pod(tree, each, measured, full=full) for each in roster)
    machine, all_pods = read(tree, ""), read(tree, place.all_pods)
    at = time.time()
    if not full:
        return NodeSample(at, machine, pods, all_pods, swap=_swap())
    return NodeSample(
        at,
        machine,
        pods,
        all_pods,
        network=interfaces(_text(Path("/proc/net/dev"))),
        disk=_file_system(place.root),
        images=_file_system(place.engine_root),
        swap=_swap(),
        max_pids=int(_text(MAX_PIDS) or 0),
        processes=sum(1 for each in Path("/proc").iterdir() if each.name.isdigit()),
    )


def _pod(tree: Tree, pod: RosterPod, measured: Measured, *, full: bool) -> PodSample:
    containers = tuple(_container(tree, each, measured, full=full) for each in pod.containers)
    usage, at = read(tree, pod.cgroup), time.time()
    if not full:
        return PodSample(pod, at, usage, containers)
    sandbox = _container(tree, pod.sandbox, measured, full=False) if pod.sandbox is not None else None
    return PodSample(
        pod,
        at,
        usage,
        containers,
        sandbox,
        network=() if pod.host_network or pod.sandbox is None else _network(tree, pod.sandbox.cgroup),
        volumes=tuple(
            VolumeSample(name, claim, None if claim else measured(path), _file_system(path))
            for name, claim, path in pod.volumes
        ),
    )


def _container(tree: Tree, container: RosterContainer, measured: Measured, *, full: bool) -> ContainerSample:
    usage, at = read(tree, container.cgroup), time.time()
    if not full:
        return ContainerSample(container, at, usage)
    writable = measured(container.writable) if container.writable is not None else None
    logs = measured(container.logs) if container.logs is not None else None
    return ContainerSample(container, at, usage, writable, logs)


def _network(tree: Tree, sandbox: str) -> tuple[Interface, ...]:
    """The pod's interfaces, seen through its pause process: that of the sandbox's cgroup, so that Docker need not be
    asked for it."""
    pids = _text(tree.folder(sandbox, "pids") / "cgroup.procs").split()
    return interfaces(_text(Path(f"/proc/{pids[0]}/net/dev"))) if pids else ()


def interfaces(text: str) -> tuple[Interface, ...]:
    """From `/proc/net/dev`: two lines of headings, then a line for each. Loopback is nobody's traffic."""
    found = []
    for line in text.splitlines()[2:]:
        name, _, counts = line.partition(":")
        numbers = [int(each) for each in counts.split()]
        if len(numbers) >= 12 and name.strip() != "lo":
            found.append(Interface(name.strip(), *numbers[0:4], *numbers[8:12]))
    return tuple(found)


def _swap() -> Swap:
    lines = (line.split() for line in _text(Path("/proc/meminfo")).splitlines() if line.startswith("Swap"))
    kib = {words[0].rstrip(":"): int(words[1]) for words in lines}
    return Swap(kib.get("SwapTotal", 0) * 1024, kib.get("SwapFree", 0) * 1024)


def _file_system(path: Path) -> FileSystem | None:
    try:
        return file_system(path)
    except OSError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
