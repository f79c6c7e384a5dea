"""Who is to be looked at: the pods that run here, from what the kubelet has in memory; Docker is not asked."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from api.types import core_v1
from kubelet.cgroups.tree import Tree
from kubelet.logs.files import log_path
from kubelet.pod.create import parent
from kubelet.pod.ground import Ground
from kubelet.pod.resources import QUOTA_PERIOD, limits
from kubelet.pods import Pods
from kubelet.runtime.container import Container, State
from kubelet.stats.sample import RosterContainer, RosterPod
from kubelet.volumes.folders import PodFolder
from kubelet.volumes.problem import MountError
from kubelet.worker.worker import PodWorker


class Roster:
    """Remembers where containers write: Docker's own notes of that never change."""

    def __init__(self, pods: Pods) -> None:
        self._pods = pods
        self._layers: dict[str, Path | None] = {}

    def now(self) -> list[RosterPod]:
        ground = self._pods.node.ground
        tree = Tree.of(ground.cgroup_driver)
        found = [each for worker in self._pods.all() if (each := self._pod(worker, ground, tree)) is not None]
        alive = {each.id for pod in found for each in pod.containers}
        self._layers = {each: path for each, path in self._layers.items() if each in alive}
        return found

    def _pod(self, worker: PodWorker, ground: Ground, tree: Tree) -> RosterPod | None:
        pod, running = worker.pod, [each for each in worker.containers() if each.state is State.RUNNING]
        sandbox = next((each for each in running if each.is_sandbox), None)
        if pod.metadata is None or pod.spec is None or not running:
            return None
        above = parent(pod, ground)
        specs = {each.name: each for each in [*pod.spec.containers, *(pod.spec.initContainers or ())]}
        status = worker.status or pod.status
        started = status.startTime.timestamp() if status is not None and status.startTime is not None else 0.0
        return RosterPod(
            name=pod.metadata.name or "",
            namespace=pod.metadata.namespace or "",
            uid=worker.uid,
            started_at=started or running[0].created_at,
            cgroup=tree.path(above),
            sandbox=None if sandbox is None else self._container(sandbox, None, above, ground, tree),
            containers=tuple(
                self._container(each, specs.get(each.name), above, ground, tree)
                for each in running
                if not each.is_sandbox
            ),
            volumes=_volumes(pod, worker.folder),
            host_network=bool(pod.spec.hostNetwork),
        )

    def _container(
        self, container: Container, spec: core_v1.Container | None, above: str, ground: Ground, tree: Tree
    ) -> RosterContainer:
        return RosterContainer(
            name=container.name,
            id=container.id,
            image=container.image,
            cgroup=tree.container(above, container.id),
            started_at=container.started_at,
            writable=self._layer(container.id, ground.engine_root),
            logs=None if container.is_sandbox else log_path(ground.engine_root, container.id).parent,
            spec=_spec(spec) if spec is not None else {},
        )

    def _layer(self, container_id: str, engine_root: Path) -> Path | None:
        """The folder of what the container has written, with the storage driver that nearly every engine has."""
        if container_id not in self._layers:
            note = engine_root / "image" / "overlay2" / "layerdb" / "mounts" / container_id / "mount-id"
            try:
                self._layers[container_id] = engine_root / "overlay2" / note.read_text().strip() / "diff"
            except OSError:
                self._layers[container_id] = None
        return self._layers[container_id]


def _spec(spec: core_v1.Container) -> dict[str, int]:
    share = limits(spec)
    found = {"cpu_shares": share.cpu_shares, "cpu_period": QUOTA_PERIOD, "memory_limit_bytes": share.memory}
    return found | ({"cpu_quota": share.cpu_quota} if share.cpu_quota else {})


_OWN = ("emptyDir", "configMap", "secret", "downwardAPI", "projected")


def _volumes(pod: core_v1.Pod, folder: PodFolder) -> tuple[tuple[str, str, Path], ...]:
    """The volumes that lie in the pod's own folder, and those of its claims."""
    found = []
    for volume in (pod.spec.volumes if pod.spec is not None else None) or ():
        claim = _claim(pod, volume)
        if claim or any(getattr(volume, kind) is not None for kind in _OWN):
            with suppress(MountError):  # one that has not been looked up yet
                path = folder.place(volume).path
                # To ask a server that may be away is not worth the risk.
                if "kubernetes.io~nfs" not in path.parts:
                    found.append((volume.name, claim, path))
    return tuple(found)


def _claim(pod: core_v1.Pod, volume: core_v1.Volume) -> str:
    """The namespace and name of the volume's claim, if it has one."""
    metadata = pod.metadata
    assert metadata is not None
    if volume.persistentVolumeClaim is not None:
        return f"{metadata.namespace}/{volume.persistentVolumeClaim.claimName}"
    return f"{metadata.namespace}/{metadata.name}-{volume.name}" if volume.ephemeral is not None else ""
