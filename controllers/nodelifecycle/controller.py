"""The shell: listens for the nodes' heartbeats, marks and taints those that fall silent, marks their pods not ready."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

import msgspec

from api import errors
from api.metadata import split_key
from api.types import coordination_v1, core_v1
from client.rest import PatchType, Unreachable
from controllers import objects, pods
from controllers.controller import Controller
from controllers.informers import NODE
from controllers.latest import Latest
from controllers.nodelifecycle import health, taints, zones
from controllers.objects import stamp
from controllers.shared import Shared
from daemon.log import logger

log = logger(__name__)

LEASES = "kube-node-lease"

Node = core_v1.Node
Lease = coordination_v1.Lease


class NodeLifecycleController(Controller):
    name = "nodelifecycle"
    component = "node-controller"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        options = self.options
        self._limits = zones.Limits(
            options.node_eviction_rate,
            options.secondary_node_eviction_rate,
            options.unhealthy_zone_threshold,
            options.large_cluster_size_threshold,
        )
        self._seen: dict[str, datetime] = {}
        self._blind_until: datetime | None = None
        self._all_were_lost = False
        self._calm_from = float("-inf")
        self._paces: dict[str, zones.Pace] = {}
        self._latest: Latest[Node] = Latest()
        self._nodes = self.read(Node)
        self._leases = self.read(Lease)
        self._pods = self.read(core_v1.Pod)
        self._nodes.on_change(self._node_changed)
        self._leases.on_change(self._lease_changed)

    # -- what wakes it

    def _node_changed(self, key: str, old: Node | None, new: Node | None) -> None:
        if new is None:
            self._seen.pop(key, None)
            if old is not None:
                self._latest.forget(old)
                text = f"Node {key} event: Removing Node {key} from Controller"
                self.events.event(old, "Normal", "RemovingNode", text)
            return
        if old is None:
            text = f"Node {key} event: Registered Node {key} in Controller"
            self.events.event(new, "Normal", "RegisteredNode", text)
        if old is None or health.heartbeat(old) != health.heartbeat(new):
            self._seen[key] = self.clock()
        if old is not None and health.is_ready(old) and health.readiness(new) == "False":
            self._tell_not_ready(new)
            self.queue.add(_PODS_OF + key)
        if old is None or health.is_ready(old) != health.is_ready(new):
            self._wake_unwell()
        self.queue.add(key)

    def _lease_changed(self, key: str, old: Lease | None, new: Lease | None) -> None:
        namespace, name = split_key(key)
        if namespace == LEASES and new is not None:
            self._seen[name] = self.clock()

    def _wake_unwell(self) -> None:
        """The zone's rate may have changed: who waits for a turn may have it now, or must give it back."""
        for node in self._nodes.items():
            if not health.is_ready(node):
                self.queue.add(objects.name(node))

    # -- what it does

    async def reconcile(self, key: str) -> float | None:
        if key.startswith(_PODS_OF):
            await self._mark_pods(key.removeprefix(_PODS_OF))
            return None
        cached = self._nodes.get(key)
        if cached is None:
            return None
        node = self._latest.newest(cached)
        left = self._left(node)
        if left <= 0 and await self._is_silent(key):
            node = await self._mark_lost(node)
            left = float("inf")
        turn = await self._taint(node)
        if health.readiness(node) == "Unknown":
            await self._mark_pods(key)
            left = float("inf")
        soonest = min(left if left > 0 else self.options.node_monitor_period, turn)
        return soonest if soonest != float("inf") else None

    def _left(self, node: Node) -> float:
        """Seconds until the node counts as lost."""
        now = self.clock()
        seen = self._seen.setdefault(objects.name(node), now)
        if self._blind_until is not None:
            seen = max(seen, self._blind_until)
        options = self.options
        grace, startup = options.node_monitor_grace_period, options.node_startup_grace_period
        return health.lost_in(node, seen, now, grace, startup)

    async def _is_silent(self, name: str) -> bool:
        """Asked of the API server itself: while it cannot be reached no node is heard, which is no fault of theirs."""
        try:
            lease = await self.client.get(Lease, name, LEASES)
        except errors.NotFound:
            return True
        except (errors.StatusError, Unreachable):
            self._blind_until = self.clock()
            raise
        cached = self._leases.get(f"{LEASES}/{name}")
        if cached is not None and cached.spec == lease.spec:
            return True
        self._seen[name] = self.clock()
        return False

    async def _mark_lost(self, node: Node) -> Node:
        wanted = health.lost(node, self.clock())
        if wanted is None:
            return node
        was_ready = health.is_ready(node)
        body = {"metadata": _only_this(node), "status": {"conditions": wanted}}
        marked = self._latest.wrote(
            await self.client.patch(Node, objects.name(node), body, subresource="status", kind=PatchType.MERGE)
        )
        log.warning("a node was lost", node=objects.name(node))
        if was_ready:
            self._tell_not_ready(marked)
        return marked

    def _tell_not_ready(self, node: Node) -> None:
        text = f"Node {objects.name(node)} status is now: NodeNotReady"
        self.events.event(node, "Normal", "NodeNotReady", text)

    async def _taint(self, node: Node) -> float:
        """Make the taints right; returns the seconds until the node's turn to be evicted from, if it waits for that."""
        zone = zones.zone_of(node)
        rate = zones.rates((self._latest.newest(each) for each in self._nodes.items()), self._limits).get(zone, 0.0)
        pace = self._paces.setdefault(zone, zones.Pace())
        all_lost = self._note_disruption()
        unwell = taints.wanted_no_execute(node) is not None
        has = taints.evicts(node)
        wait = max(pace.wait(rate, time.monotonic()), self._calm_from - time.monotonic()) if unwell and not has else 0.0
        evict = unwell and (not all_lost if has else wait <= 0)
        wanted = taints.decide(node, evict, self.clock())
        if wanted is not None:
            if evict and not has:
                pace.took(time.monotonic())
            body = {"metadata": _only_this(node), "spec": {"taints": wanted or None}}
            self._latest.wrote(await self.client.patch(Node, objects.name(node), body))
        return wait if unwell and not evict else float("inf")

    def _note_disruption(self) -> bool:
        """Whether no node at all is well. When the first one is again, the others get time to follow it."""
        lost = not any(health.is_ready(self._latest.newest(each)) for each in self._nodes.items())
        if self._all_were_lost and not lost:
            self._calm_from = time.monotonic() + self.options.node_monitor_grace_period
        self._all_were_lost = lost
        return lost

    async def _mark_pods(self, name: str) -> None:
        """Nobody keeps the pods' readiness up to date any more, so nobody should be sent to them."""
        ready = [pod for pod in self._pods.by_index(NODE, name) if pods.is_ready(pod)]
        await asyncio.gather(*(self._mark_pod(pod) for pod in ready))

    async def _mark_pod(self, pod: core_v1.Pod) -> None:
        condition = pods.condition(pod, "Ready")
        if condition is None:
            return
        marked = msgspec.structs.replace(condition, status="False", lastTransitionTime=stamp(self.clock()))
        body = {"metadata": {"uid": objects.uid(pod)}, "status": {"conditions": [marked]}}
        try:
            await self.client.patch(
                core_v1.Pod,
                objects.name(pod),
                body,
                objects.namespace(pod),
                subresource="status",
                kind=PatchType.STRATEGIC,
            )
        except errors.NotFound:
            return
        self.events.event(pod, "Warning", "NodeNotReady", "Node is not ready")


_PODS_OF = "pods of "
"""The prefix of the keys that mean a node's pods rather than the node."""


def _only_this(node: Node) -> dict[str, Any]:
    """Of a patch's metadata, what makes it fail when the node is no longer as it was read."""
    return {"uid": objects.uid(node), "resourceVersion": objects.meta(node).resourceVersion}
