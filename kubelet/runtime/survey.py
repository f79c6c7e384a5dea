"""One look at the engine and the kernel as the kubelet starts: what all pods of this node are made with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api import quantity
from kubelet.options import Options
from kubelet.pod.ground import Ground
from kubelet.pod.sysctls import Allowed
from kubelet.runtime import kernel, oom, pause
from kubelet.runtime.engine import Engine
from kubelet.sandboxes.pool import why_not


@dataclass(frozen=True)
class Survey:
    ground: Ground
    engine_version: str
    pool_off: str
    """Why sandboxes can't join network namespaces by themselves, or nothing."""


async def survey(engine: Engine, options: Options, node: str, memory: int, cpu_period: int) -> Survey:
    """The pause image is made if it isn't there. Raises EngineError."""
    info = await engine.info()
    version = str(info.get("ServerVersion", ""))
    made = await pause.ensure(engine, options.pause_image)
    ground = Ground(
        node=node,
        pause_image=made.image,
        cgroup_root=options.cgroup_root,
        cgroup_driver=str(info.get("CgroupDriver", "cgroupfs")),
        cpu_period=cpu_period,
        memory=memory,
        lowest_oom_score=await oom.lowest_score(engine, node, made.image),
        seccomp_default=options.seccomp_default,
        seccomp_folder=options.root_dir / "seccomp",
        engine_root=Path(str(info.get("DockerRootDir", "/var/lib/docker"))),
        log_max_size=quantity.value(options.container_log_max_size),
        log_max_files=options.container_log_max_files,
        sysctls=Allowed.of(options.allowed_unsafe_sysctls),
        apparmor=kernel.apparmor_enabled(),
        capabilities=kernel.bounded_capabilities(version),
    )
    return Survey(ground, version, why_not(made.joins, info))
