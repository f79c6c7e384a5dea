"""The shell of taint-based eviction: deletes pods that do not bear their node's NoExecute taints, when it is time."""

from __future__ import annotations

from api import errors
from api.types import core_v1
from controllers import objects, pods
from controllers.controller import Controller
from controllers.disruption import disrupted
from controllers.informers import NODE
from controllers.nodelifecycle.eviction import leaves_at, no_execute
from controllers.nodelifecycle.taints import taints_of
from controllers.shared import Shared


class TaintEvictionController(Controller):
    """Keys are pods'."""

    name = "tainteviction"
    component = "taint-eviction-controller"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._nodes = self.read(core_v1.Node)
        self._pods = self.read(core_v1.Pod)
        self._marked: set[str] = set()
        self._nodes.on_change(self._node_changed)
        self._pods.on_change(self._pod_changed)

    def _node_changed(self, key: str, old: core_v1.Node | None, new: core_v1.Node | None) -> None:
        before = no_execute(taints_of(old)) if old is not None else []
        now = no_execute(taints_of(new)) if new is not None else []
        if before != now:
            for pod in self._pods.by_index(NODE, key):
                self.queue.add(f"{objects.namespace(pod)}/{objects.name(pod)}")

    def _pod_changed(self, key: str, old: core_v1.Pod | None, new: core_v1.Pod | None) -> None:
        if new is None:
            self._marked.discard(key)
            return
        node = self._nodes.get(pods.node_name(new))
        if node is not None and no_execute(taints_of(node)) and not objects.deleting(new):
            self.queue.add(key)

    async def reconcile(self, key: str) -> float | None:
        pod = self._pods.get(key)
        node = self._nodes.get(pods.node_name(pod)) if pod is not None else None
        if pod is None or objects.deleting(pod) or pods.is_terminal(pod):
            return None
        now = self.clock()
        taints = no_execute(taints_of(node)) if node is not None else []
        when = leaves_at(pod, taints, now, self.options.pod_eviction_timeout)
        if when is None:
            if key in self._marked:
                self._marked.discard(key)
                self.events.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")
            return None
        left = (when - now).total_seconds()
        if left > 0:
            self._marked.add(key)
            return left
        await self._evict(key, pod)
        return None

    async def _evict(self, key: str, pod: core_v1.Pod) -> None:
        self.events.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key}")
        text = "Taint manager: deleting due to NoExecute taint"
        try:
            await disrupted(self.client, pod, "DeletionByTaintManager", text, self.clock())
            await self.client.delete(core_v1.Pod, objects.name(pod), objects.namespace(pod), uid=objects.uid(pod))
        except errors.NotFound:
            return
