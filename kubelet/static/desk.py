"""Brings together the manifests, the pods' workers and the mirrors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from api.types import core_v1
from daemon.log import logger
from kubelet.lifecycle.view import TERMINAL
from kubelet.pods import Pods
from kubelet.static import plan
from kubelet.static.annotations import Key, is_static, key_of, uid_of
from kubelet.static.mirrors import Mirrors

log = logger(__name__)

MIRRORS_DEADLINE = 3.0
"""Seconds that the first start may wait for the mirrors, which tell what was said of the pods. Without them (the API
server may itself be a static pod) only the readiness of running pods has to be found anew."""


class StaticPods:
    """`ended` tells it that nothing of a pod is left. `read` is set once the manifests are known."""

    def __init__(self, pods: Pods, mirrors: Mirrors) -> None:
        self._pods, self._mirrors = pods, mirrors
        self._wanted: dict[Key, core_v1.Pod] = {}
        self._ending: set[str] = set()
        self.read = asyncio.Event()

    async def run(
        self,
        path: Path | None,
        period: float,
        mirrors_known: Callable[[], Awaitable[None]],
        complain: Callable[[str, str], None],
    ) -> None:
        """For ever. `complain(path, why)` is called for a manifest that is no good."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_mirrors(mirrors_known))
            if path is None:
                self.read.set()
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(mirrors_known(), MIRRORS_DEADLINE)
            from kubelet.static.source import Manifests  # reads YAML, which most nodes need not

            await Manifests(path, self._pods.node.name, self.take, complain).run(period)

    async def _keep_mirrors(self, known: Callable[[], Awaitable[None]]) -> None:
        await known()
        await self.read.wait()
        await self._mirrors.run()

    def take(self, wanted: dict[Key, core_v1.Pod]) -> None:
        """What the manifests ask for now."""
        # A pod that is known already is kept as it is: only the time at which it was read may differ.
        known = {uid_of(pod): pod for pod in self._wanted.values()}
        self._wanted = {key: known.get(uid_of(pod), pod) for key, pod in wanted.items()}
        self._reconcile()
        self.read.set()

    def ended(self, uid: str) -> None:
        if uid in self._ending:
            self._ending.discard(uid)
            self._reconcile()

    def mirror_seen(self, mirror: core_v1.Pod) -> None:
        self._mirrors.seen(mirror)
        pod = self._wanted.get(key_of(mirror))
        if pod is not None:
            self._pods.wake(uid_of(pod))

    def mirror_lost(self, mirror: core_v1.Pod) -> None:
        self._mirrors.lost(mirror)

    def _reconcile(self) -> None:
        uids = {key: uid_of(pod) for key, pod in self._wanted.items()}
        step = plan.pods(uids, self._there(), self._ending)
        for uid in step.end:
            log.info("ending a static pod", uid=uid)
            self._ending.add(uid)
            self._pods.end(uid)
        for key in step.start:
            log.info("starting a static pod", pod="/".join(key), uid=uids[key])
            self._start(self._wanted[key])
        self._mirrors.wake(self._wanted, self._ending)

    def _start(self, pod: core_v1.Pod) -> None:
        """With what was said of it, unless that is its end: a static pod that a shutdown has ended starts again."""
        mirror = self._mirrors.of(pod)
        said = mirror.status if mirror is not None else None
        over = said is not None and said.phase in TERMINAL
        self._pods.put(msgspec.structs.replace(pod, status=None if over else said))

    def _there(self) -> dict[str, Key]:
        """What this node has of static pods: workers, and what an earlier kubelet has left under a wanted name."""
        there = {worker.uid: key_of(worker.pod) for worker in self._pods.all() if is_static(worker.pod)}
        inventory = self._pods.node.inventory
        for uid in inventory.pods():
            first = inventory.pod(uid)[0]
            key = (first.namespace, first.pod_name)
            if self._pods.get(uid) is None and key in self._wanted and uid != uid_of(self._wanted[key]):
                there[uid] = key
        ending = {uid: worker for uid in self._ending if (worker := self._pods.get(uid)) is not None}
        return there | {uid: key_of(worker.pod) for uid, worker in ending.items()}
