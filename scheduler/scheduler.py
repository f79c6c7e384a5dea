"""The shell around the core: take a pod from the queue, decide, assume, bind in the background, report.

Decisions are made one after the other, each on a picture that has all the earlier ones in it. Bindings are written
many at a time; only their number is bounded, and when the bound is reached decisions wait.
"""

from __future__ import annotations

import asyncio
import time
from typing import NoReturn

from api import errors
from client.codec import Unreadable
from client.events import EventRecorder
from client.informer import Informer
from client.rest import Client, Unreachable
from daemon.log import logger
from scheduler import metrics
from scheduler.binding import DefaultBinder
from scheduler.cluster import Cluster
from scheduler.decide import Decision, decide
from scheduler.framework import Happening, Profile
from scheduler.objects import Node, Pod
from scheduler.plugins import default_profile
from scheduler.plugins.volume_binding import VolumeBinding
from scheduler.podinfo import PodInfo
from scheduler.queue import SchedulingQueue, Waiting
from scheduler.report import Reporter
from scheduler.snapshot import Snapshot
from scheduler.storage import Storage

log = logger(__name__)

BINDINGS = 16
"""Bindings in flight at once: as many as keep the API server busy; more would only wait there."""
_BATCH = 16
"""Decisions between two looks at what else the event loop has to do."""


class Scheduler:
    """`watch()` keeps the picture right, on every replica; `run()` decides, on the leader only."""

    def __init__(self, client: Client, name: str = "default-scheduler", profile: Profile | None = None) -> None:
        self.storage = Storage(client, lambda: self.queue.happened(Happening.VOLUME_CHANGED))
        self.profile = profile or default_profile(name, VolumeBinding(self.storage), DefaultBinder(client))
        self.snapshot = Snapshot()
        self.queue = SchedulingQueue(self.profile.queue_sort.key, time.monotonic)
        self.cluster = Cluster(name, self.snapshot, self.queue)
        self.events = EventRecorder(client, name, rate=50, burst=30)  # bindings come first
        self.reporter = Reporter(client, self.events)
        self.nodes = Informer(client, Node)
        self.pods = Informer(client, Pod)
        self.nodes.on_change(self.cluster.node_changed)
        self.pods.on_change(self.cluster.pod_changed)
        self.cluster.on_failure = lambda pod, why: self.events.event(pod, "Warning", "FailedScheduling", why)
        self._bindings: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._turn = 0
        metrics.watch(self.queue.sizes, self.snapshot.__len__, self.snapshot.pod_count)

    async def watch(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.nodes.run(), name="nodes")
            group.create_task(self.pods.run(), name="pods")
            group.create_task(self.storage.run(), name="storage")

    async def run(self) -> None:
        """Until cancelled. Bindings that are being written then are finished first."""
        reporting = asyncio.create_task(self.reporter.run(), name="report")
        try:
            await self.nodes.synced()
            await self.pods.synced()
            await self._decide_all()
        finally:
            reporting.cancel()
            if self._bindings:
                await asyncio.wait(set(self._bindings), timeout=5.0)
            for task in set(self._bindings):
                task.cancel()
            await asyncio.gather(reporting, *self._bindings, return_exceptions=True)

    async def _decide_all(self) -> NoReturn:
        since_yield = 0
        while True:
            while len(self._bindings) >= BINDINGS:
                self._room.clear()
                await self._room.wait()
            waiting = self.queue.pop()
            if waiting is None:
                since_yield = 0
                await self.queue.wait()
                continue
            self.schedule_one(waiting)
            since_yield += 1
            if since_yield >= _BATCH:
                since_yield = 0
                await asyncio.sleep(0)

    def schedule_one(self, waiting: Waiting) -> None:
        info = waiting.info
        started = time.perf_counter()
        decision = decide(info, self.snapshot, self.profile, self._turn)
        metrics.DECISION.observe(time.perf_counter() - started)
        self._turn += 1
        if decision.node is None:
            self._rejected(waiting, decision)
            return
        self.cluster.assume(info, decision.node)
        task = asyncio.get_running_loop().create_task(self._bind(waiting, decision.node))
        self._bindings.add(task)
        task.add_done_callback(self._bound)

    def _bound(self, task: asyncio.Task[None]) -> None:
        self._bindings.discard(task)
        self._room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a binding ended by an error", reason=repr(error))

    def _rejected(self, waiting: Waiting, decision: Decision) -> None:
        metrics.ATTEMPTS.labels("unschedulable", self.profile.name).inc()
        rejecting = {rejection.plugin for rejection in decision.rejections}
        helped_by = Happening.NODE_ADDED
        for plugin in self.profile.filters:
            if plugin.name in rejecting:
                helped_by |= plugin.helped_by
        self.queue.reject(waiting, Happening.ANY if decision.refusal else helped_by)
        self.reporter.unschedulable(waiting.info, decision.message)

    async def _bind(self, waiting: Waiting, node: str) -> None:
        info = waiting.info
        started = time.perf_counter()
        try:
            failure = await self._reserve_and_permit(info, node)
            if failure is None:
                for plugin in self.profile.binds:
                    if await plugin.bind(info, node):
                        break
        except (errors.StatusError, Unreachable, Unreadable) as error:
            failure = f"binding rejected: {error}"
            if isinstance(error, errors.NotFound | errors.Conflict):
                log.info("the pod is not ours to bind any more", pod=info.key, reason=str(error))
        if failure is None:
            metrics.BINDING.observe(time.perf_counter() - started)
            metrics.END_TO_END.observe(time.monotonic() - waiting.since)
            metrics.ATTEMPTS.labels("scheduled", self.profile.name).inc()
            self.reporter.bound(info, node)
            return
        self._give_back(waiting, node, failure)

    async def _reserve_and_permit(self, info: PodInfo, node: str) -> str | None:
        for reserve in self.profile.reserves:
            if (failure := reserve.reserve(info, node)) is not None:
                return failure
        for permit in self.profile.permits:
            if (failure := await permit.permit(info, node)) is not None:
                return failure
        return None

    def _give_back(self, waiting: Waiting, node: str, failure: str) -> None:
        """The pod did not get its node: undo what was assumed, and try again later if it is still there."""
        info = waiting.info
        for reserve in self.profile.reserves:
            reserve.unreserve(info, node)
        if info.uid not in self.cluster.assumed:
            return  # the informer has told us meanwhile what became of it
        self.cluster.forget(info.uid)
        metrics.ATTEMPTS.labels("error", self.profile.name).inc()
        current = self.pods.get(info.key)
        if current is None or current.metadata is None or current.metadata.uid != info.uid:
            return
        log.warning("a binding failed", pod=info.key, node=node, reason=failure)
        self.queue.retry(waiting)
        self.reporter.failed(info, failure)
