"""Removes pods that nobody else will: of nodes that are gone, deleted before they had a node, ended long ago."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from api import errors
from api.types import core_v1
from controllers import objects, pods
from controllers.controller import Controller
from controllers.disruption import disrupted
from controllers.informers import NODE
from controllers.nodelifecycle.health import is_ready
from controllers.nodelifecycle.taints import OUT_OF_SERVICE, taints_of
from controllers.shared import Shared
from daemon.log import logger

log = logger(__name__)

_ENDED = "ended pods"
"""The key that stands for all pods that have ended; no pod's, as those have a slash."""


class Reason(Enum):
    """Why a pod is removed; the values are the messages of its DisruptionTarget condition."""

    UNSCHEDULED = ""
    ORPHANED = "PodGC: node no longer exists"
    OUT_OF_SERVICE = "PodGC: node is marked out-of-service"


def decide(pod: core_v1.Pod, node: core_v1.Node | None) -> Reason | None:
    """Why the pod must go, given its node (None if there is no such node); None when it may stay."""
    leaving, on = objects.deleting(pod), pods.node_name(pod)
    if not on:
        return Reason.UNSCHEDULED if leaving else None
    if node is None:
        return Reason.ORPHANED
    out = any(each.key == OUT_OF_SERVICE for each in taints_of(node))
    return Reason.OUT_OF_SERVICE if leaving and out and not is_ready(node) else None


def surplus(ended: Iterable[core_v1.Pod], threshold: int) -> list[core_v1.Pod]:
    """Of the pods that have ended, those above the threshold: evicted ones first, then the oldest."""
    if threshold <= 0:
        return []
    ordered = sorted(ended, key=lambda pod: (not _evicted(pod), objects.created(pod), objects.name(pod)))
    return ordered[: max(0, len(ordered) - threshold)]


def _evicted(pod: core_v1.Pod) -> bool:
    return pods.phase(pod) == pods.FAILED and pod.status is not None and pod.status.reason == "Evicted"


class PodGcController(Controller):
    name = "podgc"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._missing: dict[str, datetime] = {}
        self._ended: set[str] = set()
        self._pods = self.read(core_v1.Pod)
        self._nodes = self.read(core_v1.Node)
        self._pods.on_change(self._pod_changed)
        self._nodes.on_change(self._node_changed)

    def _pod_changed(self, key: str, old: core_v1.Pod | None, new: core_v1.Pod | None) -> None:
        if new is None or not pods.is_terminal(new):
            self._ended.discard(key)
        else:
            self._ended.add(key)
            if len(self._ended) > self.options.terminated_pod_gc_threshold > 0:
                self.queue.add(_ENDED)
        if new is not None and decide(new, self._nodes.get(pods.node_name(new))) is not None:
            self.queue.add(key)

    def _node_changed(self, key: str, old: core_v1.Node | None, new: core_v1.Node | None) -> None:
        if new is not None:
            self._missing.pop(key, None)
        if new is None or any(each.key == OUT_OF_SERVICE for each in taints_of(new)):
            for pod in self._pods.by_index(NODE, key):
                self.queue.add(f"{objects.namespace(pod)}/{objects.name(pod)}")

    async def reconcile(self, key: str) -> float | None:
        if key == _ENDED:
            await self._remove_ended()
            return None
        pod = self._pods.get(key)
        if pod is None:
            return None
        name = pods.node_name(pod)
        reason = decide(pod, self._nodes.get(name))
        if reason is None:
            return None
        if reason is Reason.ORPHANED:
            left = await self._quarantine(name)
            if left is None or left > 0:
                return left
        await self._remove(pod, reason)
        return None

    async def _quarantine(self, node: str) -> float | None:
        """Seconds for which a missing node may still come back; None if it is there after all."""
        since = self._missing.setdefault(node, self.clock())
        left = self.options.orphaned_pod_gc_delay - (self.clock() - since).total_seconds()
        if left > 0:
            return left
        try:
            await self.client.get(core_v1.Node, node)
        except errors.NotFound:
            return 0.0
        self._missing.pop(node, None)
        return None

    async def _remove_ended(self) -> None:
        ended = (pod for key in self._ended if (pod := self._pods.get(key)) is not None)
        await asyncio.gather(*(self._remove(pod) for pod in surplus(ended, self.options.terminated_pod_gc_threshold)))

    async def _remove(self, pod: core_v1.Pod, reason: Reason | None = None) -> None:
        """At once: there is no kubelet that could let it end in peace."""
        name, namespace = objects.name(pod), objects.namespace(pod)
        log.info("removing a pod", namespace=namespace, pod=name, reason=reason.name if reason else "ended")
        try:
            if reason is not None and reason is not Reason.UNSCHEDULED and not pods.is_terminal(pod):
                await disrupted(self.client, pod, "DeletionByPodGC", reason.value, self.clock(), failed=True)
            await self.client.delete(core_v1.Pod, name, namespace, grace_period=0, uid=objects.uid(pod))
        except errors.NotFound:
            return
