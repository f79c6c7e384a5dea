"""The pods of this node: one worker each, and orphans (what Docker has and the API server doesn't) brought to an
end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from api.types import core_v1, meta_v1
from daemon.log import logger
from kubelet.eviction import preempt
from kubelet.node_context import NodeContext
from kubelet.runtime.container import GRACE, Container
from kubelet.worker.worker import PodWorker

log = logger(__name__)


class Pods:
    def __init__(self, node: NodeContext) -> None:
        self.node = node
        self._workers: dict[str, PodWorker] = {}

    def get(self, uid: str) -> PodWorker | None:
        return self._workers.get(uid)

    def find(self, namespace: str, name: str) -> PodWorker | None:
        """The worker of the pod with this name (not one that only ends an older pod of the same name, if it can
        be)."""
        found = [each for each in self._workers.values() if _is(each.pod, namespace, name)]
        return found[-1] if found else None

    def all(self) -> list[PodWorker]:
        return list(self._workers.values())

    def taken(self, but: str = "") -> list[core_v1.Pod]:
        """The pods that count against what the node has (all `but` one): admitted, and not at their end."""
        return [each.pod for uid, each in self._workers.items() if each.taken and uid != but]

    def preempt(self, pod: core_v1.Pod) -> None:
        """End a pod for a critical one."""
        worker = self._workers.get((pod.metadata.uid or "") if pod.metadata else "")
        if worker is not None:
            log.info("preempting a pod for a critical one", pod=worker.uid)
            self.node.channel.say(pod, "Warning", preempt.REASON, preempt.MESSAGE)
            worker.evict(preempt.REASON, preempt.MESSAGE, 1.0, disruption=True)

    def wake(self, uid: str) -> None:
        worker = self._workers.get(uid)
        if worker is not None:
            worker.wake()

    def put(self, pod: core_v1.Pod) -> None:
        """The API server has this pod for this node, new or changed."""
        uid = (pod.metadata.uid or "") if pod.metadata else ""
        worker = self._workers.get(uid)
        if worker is not None:
            worker.update(pod)
            return
        worker = PodWorker(self.node, pod, self._ended)
        self._workers[uid] = worker
        worker.start()

    def lose(self, uid: str) -> None:
        """The API server no longer has this pod."""
        worker = self._workers.get(uid)
        if worker is not None:
            worker.lose()

    def end(self, uid: str) -> None:
        """End a pod that nobody wants any more, whether it is worked on or only left in Docker."""
        if uid in self._workers:
            self.lose(uid)
        else:
            self._end_orphan(_pod_of(self.node.inventory.pod(uid)))

    def _ended(self, uid: str) -> None:
        self._workers.pop(uid, None)
        self.node.released(uid)

    def refresh(self, uids: Iterable[str]) -> None:
        """Objects that these pods use have changed."""
        for uid in uids:
            worker = self._workers.get(uid)
            if worker is not None:
                worker.refresh()

    def images_changed(self) -> None:
        """Images came or went: those that wait for one look again."""
        for worker in self._workers.values():
            worker.images_changed()

    def end_orphans(self) -> None:
        """End what runs here of pods that the API server doesn't have. Call once it has told all it has, and after
        each list of Docker's: a container can turn up late."""
        for uid in self.node.inventory.pods():
            if uid not in self._workers and uid:
                containers = self.node.inventory.pod(uid)
                log.info("ending an orphan", pod=f"{containers[0].namespace}/{containers[0].pod_name}", uid=uid)
                self._end_orphan(_pod_of(containers))
        folders = self.node.root / "pods"
        for folder in folders.iterdir() if folders.is_dir() else ():
            if folder.name not in self._workers:
                self._end_orphan(_bare_pod(folder.name))

    def _end_orphan(self, pod: core_v1.Pod) -> None:
        assert pod.metadata is not None
        worker = PodWorker(self.node, pod, self._ended)
        self._workers[pod.metadata.uid or ""] = worker
        worker.lose()
        worker.start()

    def networks(self) -> set[str]:
        """The networks that sandboxes have, as CNI knows them."""
        return {each.network_id for each in self.node.inventory.all() if each.is_sandbox}

    async def close(self) -> None:
        """Leave every pod running."""
        await asyncio.gather(*(each.close() for each in self._workers.values()))


def _is(pod: core_v1.Pod, namespace: str, name: str) -> bool:
    return pod.metadata is not None and (pod.metadata.namespace, pod.metadata.name) == (namespace, name)


def _pod_of(containers: Iterable[Container]) -> core_v1.Pod:
    """As much of a lost pod as its containers' labels tell: enough to end it properly."""
    containers = list(containers)
    first = containers[0]
    names = sorted({each.name for each in containers if not each.is_sandbox})
    graces = [int(each.labels.get(GRACE, "0")) for each in containers if each.labels.get(GRACE, "").isdigit()]
    return _bare_pod(first.pod_uid, first.pod_name, first.namespace, names, max(graces, default=0))


def _bare_pod(
    uid: str, name: str = "", namespace: str = "", containers: Iterable[str] = (), grace: int = 0
) -> core_v1.Pod:
    return core_v1.Pod(
        metadata=meta_v1.ObjectMeta(uid=uid, name=name, namespace=namespace),
        spec=core_v1.PodSpec(
            containers=[core_v1.Container(name=each) for each in containers],
            terminationGracePeriodSeconds=grace,
        ),
    )
