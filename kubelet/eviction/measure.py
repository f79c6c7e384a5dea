"""What each pod uses now: its cgroups' figures at every look, its files only where they count, and no more often than
their walk is worth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from api.types import core_v1
from daemon.log import logger
from kubelet.cgroups.pods import PodCgroups
from kubelet.cgroups.stats import read
from kubelet.eviction.use import ContainerUse, PodUse
from kubelet.runtime.container import Container, State
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError
from kubelet.stats.file_system import NOTHING, Taken, taken
from kubelet.volumes.folders import PodFolder

log = logger(__name__)

WALK_EVERY = 10.0
SLOW = 20
"""A pod's files are walked again no sooner than this many times what the last walk took."""


class Target(Protocol):
    """A pod's worker, as far as evictions know it."""

    @property
    def pod(self) -> core_v1.Pod: ...

    @property
    def uid(self) -> str: ...

    @property
    def status(self) -> core_v1.PodStatus | None: ...

    @property
    def cleaned(self) -> bool:
        """Nothing of the pod is left but ended containers."""
        ...

    def containers(self) -> tuple[Container, ...]: ...

    def evict(self, reason: str, message: str, grace: float | None = None, *, disruption: bool = False) -> None: ...


@dataclass(frozen=True, slots=True)
class _Files:
    containers: Mapping[str, ContainerUse] = field(default_factory=dict)
    volumes: Mapping[str, Taken] = field(default_factory=dict)
    again_at: float = 0.0


class Meter:
    """`engine_root` is Docker's folder, `root` the kubelet's."""

    def __init__(self, engine: Engine, cgroups: PodCgroups, root: Path, engine_root: Path) -> None:
        self._engine, self._cgroups, self._root, self._engine_root = engine, cgroups, root, engine_root
        self._layers: dict[str, Path] = {}
        self._files: dict[str, _Files] = {}

    def keep(self, uids: Iterable[str], containers: Iterable[str]) -> None:
        """Forget what is gone."""
        pods, ids = set(uids), set(containers)
        self._files = {uid: found for uid, found in self._files.items() if uid in pods}
        self._layers = {each: path for each, path in self._layers.items() if each in ids}

    async def use(self, target: Target, *, disk: bool) -> PodUse:
        """What a pod uses; its files' part only with `disk`."""
        running = [each for each in target.containers() if each.state is State.RUNNING and not each.is_sandbox]
        found = await asyncio.to_thread(self._of_cgroups, target.pod, running)
        if not disk:
            return found
        files = self._files.get(target.uid)
        if files is None or files.again_at <= time.monotonic():
            files = await self._walk(target, running)
            self._files[target.uid] = files
        containers = {
            name: replace(use, memory=found.containers[name].memory if name in found.containers else 0)
            for name, use in files.containers.items()
        }
        return replace(found, containers={**found.containers, **containers}, volumes=files.volumes)

    def _of_cgroups(self, pod: core_v1.Pod, running: Iterable[Container]) -> PodUse:
        tree, parent = self._cgroups.tree, self._cgroups.parent(pod)
        whole = read(tree, tree.path(parent))
        if whole.memory is None:
            return PodUse(pod, known=False)
        containers = {}
        for each in running:
            memory = read(tree, tree.container(parent, each.id)).memory
            containers[each.name] = ContainerUse(memory.working_set if memory is not None else 0)
        return PodUse(pod, whole.memory.working_set, whole.pids or 0, containers)

    async def _walk(self, target: Target, running: Iterable[Container]) -> _Files:
        began = time.monotonic()
        containers = {}
        for each in running:
            layer = await self._layer(each.id)
            writable = await asyncio.to_thread(taken, layer) if layer is not None else NOTHING
            containers[each.name] = ContainerUse(0, writable, await asyncio.to_thread(self._logs, each.id))
        volumes = {}
        assert target.pod.spec is not None
        for volume in target.pod.spec.volumes or ():
            if volume.emptyDir is not None and not volume.emptyDir.medium:
                place = PodFolder(self._root, target.uid).place(volume).path
                volumes[volume.name] = await asyncio.to_thread(taken, place)
        now = time.monotonic()
        return _Files(containers, volumes, now + max(WALK_EVERY, SLOW * (now - began)))

    def _logs(self, container_id: str) -> Taken:
        """The container's log with those that were rotated away; Docker's own records beside them don't count."""
        found = (self._engine_root / "containers" / container_id).glob(f"{container_id}-json.log*")
        return sum((taken(each) for each in found), NOTHING)

    async def _layer(self, container_id: str) -> Path | None:
        """The folder of what the container has written beside its image, where the storage driver has one."""
        if container_id not in self._layers:
            try:
                told = await self._engine.inspect(container_id)
            except EngineError as error:
                log.debug("a container's layer is not known", container=container_id[:12], error=str(error))
                return None
            upper = ((told.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir")
            if not upper:
                return None
            self._layers[container_id] = Path(upper)
        return self._layers[container_id]
