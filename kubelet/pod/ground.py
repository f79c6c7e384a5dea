"""What of the node goes into every container."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kubelet.pod.resources import QUOTA_PERIOD
from kubelet.pod.sysctls import Allowed


@dataclass(frozen=True)
class Ground:
    node: str
    pause_image: str = ""
    cgroup_root: str = ""
    cgroup_driver: str = "cgroupfs"
    memory: int = 0
    lowest_oom_score: int = -1000
    """0 where the machine lets nobody lower a score."""
    seccomp_default: bool = False
    """Whether a container without a seccomp profile gets the engine's; Kubernetes' default is none."""
    seccomp_folder: Path = Path("/var/lib/pytheas/kubelet/seccomp")
    engine_root: Path = Path("/var/lib/docker")
    """The engine's own folder, in which it keeps what containers write."""
    log_max_size: int = 10 << 20
    log_max_files: int = 5
    sysctls: Allowed = field(default_factory=Allowed)
    apparmor: bool = False
    """Whether the kernel enforces AppArmor profiles."""
    capabilities: tuple[str, ...] = ()
    """Those of this machine, where it lacks some that Docker would give to a privileged container; else empty."""
    cpu_period: int = QUOTA_PERIOD
    """Microseconds over which CPU limits hold; 0 if they don't."""
