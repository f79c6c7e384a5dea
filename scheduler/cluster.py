"""What the informers say, turned into changes of the snapshot and the queue. No I/O.

Each pod is in exactly one of: the queue (no node yet), a decision's hands (out of the queue, assumed on a node or about
to be rejected), the snapshot (has a node). A finished pod, and one for another scheduler without a node, is in none.
"""

from __future__ import annotations

from collections.abc import Callable

from daemon.log import logger
from scheduler.framework import Happening
from scheduler.objects import Node, Pod
from scheduler.podinfo import PodInfo, digest
from scheduler.queue import SchedulingQueue
from scheduler.snapshot import Snapshot

log = logger(__name__)


class Cluster:
    def __init__(self, scheduler_name: str, snapshot: Snapshot, queue: SchedulingQueue) -> None:
        self._scheduler_name = scheduler_name
        self.snapshot, self.queue = snapshot, queue
        self.assumed: set[str] = set()
        """Pods (by uid) that have a node from us of which the API server has not told us yet."""
        self.on_failure: Callable[[Pod, str], None] = lambda pod, message: None

    # -- nodes

    def node_changed(self, key: str, old: Node | None, new: Node | None) -> None:
        if new is None:
            self.snapshot.remove_node(key)
            return
        try:
            better = self.snapshot.set_node(new)
        except ValueError as error:
            log.error("a node cannot be used", node=key, reason=str(error))
            self.snapshot.remove_node(key)
            return
        if better:
            self.queue.happened(Happening.NODE_ADDED if old is None else Happening.NODE_CHANGED)

    # -- pods

    def pod_changed(self, key: str, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        uid = (pod.metadata.uid if pod is not None and pod.metadata else None) or ""
        if new is None or _is_finished(new):
            self.forget(uid)
            self.queue.remove(uid)
        elif new.spec is not None and new.spec.nodeName:
            self._has_node(old, new, uid)
        elif self._is_ours(new):
            self._waits(old, new, uid)
        else:
            self.queue.remove(uid)

    def _has_node(self, old: Pod | None, pod: Pod, uid: str) -> None:
        node = (pod.spec.nodeName if pod.spec else None) or ""
        self.queue.remove(uid)
        if uid in self.assumed:
            self.assumed.discard(uid)
        if self.snapshot.node_of(uid) == node and not _was_resized(pod):
            return
        info = self._digest(pod)
        if info is not None:
            moved = self.snapshot.node_of(uid) not in (None, node)
            self.snapshot.set_pod(info, node)
            before = self._digest(old) if old is not None else None
            if moved or (before is not None and _asks_for_less(before, info)):
                self.queue.happened(Happening.POD_GONE)

    def _waits(self, old: Pod | None, new: Pod, uid: str) -> None:
        if uid in self.assumed or (uid in self.queue and old is not None and not _matters(old, new)):
            return
        info = self._digest(new)
        if info is not None:
            self.queue.add(info)

    def _is_ours(self, pod: Pod) -> bool:
        spec, metadata = pod.spec, pod.metadata
        if spec is None or metadata is None or metadata.deletionTimestamp is not None or spec.schedulingGates:
            return False
        return (spec.schedulerName or "default-scheduler") == self._scheduler_name

    def _digest(self, pod: Pod) -> PodInfo | None:
        try:
            return digest(pod)
        except ValueError as error:
            self.on_failure(pod, f"the pod's resource requests cannot be read: {error}")
            return None

    # -- decisions

    def assume(self, info: PodInfo, node: str) -> None:
        """Count the pod as on the node from now on."""
        self.assumed.add(info.uid)
        self.snapshot.set_pod(info, node)

    def forget(self, uid: str) -> None:
        """The pod is on no node (any more)."""
        self.assumed.discard(uid)
        if self.snapshot.remove_pod(uid):
            self.queue.happened(Happening.POD_GONE)


def _is_finished(pod: Pod) -> bool:
    return pod.status is not None and pod.status.phase in ("Succeeded", "Failed")


def _was_resized(pod: Pod) -> bool:
    """Requests of a pod with a node change only by an in-place resize, which raises its generation above 1."""
    return pod.metadata is not None and (pod.metadata.generation or 0) > 1


def _asks_for_less(before: PodInfo, after: PodInfo) -> bool:
    """Whether a resize has left room on the node."""
    now = dict(after.requests)
    return any(now.get(name, 0) < number for name, number in before.requests)


def _matters(old: Pod, new: Pod) -> bool:
    """Whether a change of a waiting pod can change its fate: our own writes of its status must not."""
    if old.spec != new.spec or old.metadata is None or new.metadata is None:
        return True
    return old.metadata.labels != new.metadata.labels
