"""Nodes that are only objects: pods are bound, report ready and go away as a scheduler and kubelets would have them do.

The API server, etcd and the controllers are real; this stands in for the machines, through the same API.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from api import errors
from api.metadata import now, rfc3339
from api.types import core_v1, meta_v1
from client.informer import Informer
from client.rest import Client, Unreachable

NODE = "simulated"


@dataclass
class Nodes:
    """`ready` says whether a pod becomes ready; both delays are seconds."""

    client: Client
    node: str = NODE
    ready: Callable[[core_v1.Pod], bool] = lambda pod: True
    start_delay: float = 0.0
    stop_delay: float = 0.0
    _next: int = 1
    _addresses: dict[str, str] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Nodes]:
        await self._register()
        self.pods = Informer(self.client, core_v1.Pod)
        self.pods.on_change(self._changed)
        task = asyncio.create_task(self.pods.run())
        try:
            await self.pods.synced()
            yield self
        finally:
            for each in (task, *self._tasks):
                each.cancel()
            await asyncio.gather(task, *self._tasks, return_exceptions=True)

    async def _register(self) -> None:
        moment = now().replace(microsecond=0)
        ready = core_v1.NodeCondition(type="Ready", status="True", lastHeartbeatTime=moment, lastTransitionTime=moment)
        node = core_v1.Node(metadata=meta_v1.ObjectMeta(name=self.node), status=core_v1.NodeStatus(conditions=[ready]))
        with contextlib.suppress(errors.AlreadyExists):
            await self.client.create(node)

    def look_again(self) -> None:
        """After `ready` would answer otherwise."""
        for pod in self.pods.items():
            self._look(pod)

    def _changed(self, key: str, old: core_v1.Pod | None, new: core_v1.Pod | None) -> None:
        if new is not None:
            self._look(new)

    def _look(self, pod: core_v1.Pod) -> None:
        assert pod.metadata is not None
        uid = pod.metadata.uid or ""
        if uid in self._busy:
            return
        self._busy.add(uid)
        task = asyncio.create_task(self._serve(pod, uid))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, pod: core_v1.Pod, uid: str) -> None:
        try:
            again: core_v1.Pod | None = pod
            while again is not None:
                again = await self._step(again)
        finally:
            self._busy.discard(uid)

    async def _step(self, pod: core_v1.Pod) -> core_v1.Pod | None:
        """One step of a pod's life; returns the pod for another, None when nothing is to be done now."""
        assert pod.metadata is not None
        assert pod.spec is not None
        name, namespace, uid = pod.metadata.name or "", pod.metadata.namespace or "", pod.metadata.uid or ""
        try:
            if pod.metadata.deletionTimestamp is not None:
                await asyncio.sleep(self.stop_delay)
                await self.client.delete(core_v1.Pod, name, namespace, grace_period=0, uid=uid)
                return None
            if not pod.spec.nodeName:
                await self.client.bind(namespace, name, uid, self.node)
            elif not is_ready(pod) and self.ready(pod):
                await asyncio.sleep(self.start_delay)
                await self.client.patch(core_v1.Pod, name, {"status": self._status(uid)}, namespace, "status")
            else:
                return None
            return await self.client.get(core_v1.Pod, name, namespace)
        except errors.NotFound:
            return None
        except (Unreachable, errors.StatusError):
            return await self._look_anew(name, namespace)

    async def _look_anew(self, name: str, namespace: str) -> core_v1.Pod | None:
        """The pod as it is now, after something went wrong: what was asked may have happened all the same."""
        while True:
            await asyncio.sleep(0.1)
            try:
                return await self.client.get(core_v1.Pod, name, namespace)
            except errors.NotFound:
                return None
            except (Unreachable, errors.StatusError):
                continue

    def _status(self, uid: str) -> dict[str, Any]:
        moment = rfc3339(now())
        if uid not in self._addresses:
            self._addresses[uid] = f"10.244.{self._next >> 8}.{self._next & 255}"
            self._next += 1
        address = self._addresses[uid]
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": moment}
            for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ]
        return {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": moment,
            "conditions": conditions,
        }


def is_ready(pod: core_v1.Pod) -> bool:
    conditions = (pod.status.conditions if pod.status else None) or ()
    return any(each.type == "Ready" and each.status == "True" for each in conditions)


def is_active(pod: core_v1.Pod) -> bool:
    phase = pod.status.phase if pod.status else None
    deleting = pod.metadata is not None and pod.metadata.deletionTimestamp is not None
    return phase not in ("Succeeded", "Failed") and not deleting
