"""Ends the node's pods when the machine goes down: told by systemd-logind, or, where there is none, by SIGPWR."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence

from api.types import core_v1
from client.backoff import Backoff
from daemon.log import logger
from kubelet.lifecycle.view import TERMINAL
from kubelet.node.events import Said
from kubelet.options import Options
from kubelet.pod.admission import Refusal
from kubelet.pods import Pods
from kubelet.runtime.container import State
from kubelet.shutdown import plan
from kubelet.static.annotations import uid_of
from kubelet.worker.worker import PodWorker

log = logger(__name__)

REASON = "Terminated"
MESSAGE = "Pod was terminated in response to imminent node shutdown."
REFUSAL = Refusal("NodeShutdown", "Pod was rejected as the node is shutting down.")
PROBLEM = "node is shutting down"
LOOK_EVERY = 0.1
"""Seconds between two looks whether a group has ended, and its end is told."""


class Shutdown:
    """`run` it. `changed` is called when the node begins to go down, and when it does not after all."""

    def __init__(
        self, pods: Pods, periods: Sequence[plan.Period], say: Callable[[Said], None], changed: Callable[[], None]
    ) -> None:
        self._pods, self._periods = pods, periods
        self._say, self._changed = say, changed
        self._ending: asyncio.Task[None] | None = None
        self.under_way = False

    @property
    def problem(self) -> str:
        return PROBLEM if self.under_way else ""

    def admit(self, pod: core_v1.Pod) -> Refusal | None:
        """Why no new pod is taken, while the node goes down."""
        return REFUSAL if self.under_way else None

    async def run(self) -> None:
        """For ever; returns at once where no graceful shutdown is asked for."""
        if not self._periods:
            return
        asyncio.get_running_loop().add_signal_handler(signal.SIGPWR, self._power_fails)
        from kubelet.shutdown.logind import LogindError, connected

        backoff, told = Backoff(1.0, 300.0), ""
        while True:
            try:
                async with connected() as logind:
                    await logind.prepare(plan.requested(self._periods))
                    backoff.reset()
                    told = ""
                    log.info("logind waits for this node's pods", seconds=plan.requested(self._periods))
                    while (begins := await logind.news.get()) is not None:
                        if begins:
                            await self.begin()
                            logind.release()
                        else:
                            self.call_off()
                            await logind.inhibit()
            except LogindError as error:
                if told != str(error):
                    told = str(error)
                    log.warning("shutdowns are not heard of; SIGPWR tells of one", why=told)
            await asyncio.sleep(backoff.next())

    def _power_fails(self) -> None:
        if self._ending is None or self._ending.done():
            self._ending = asyncio.create_task(self.begin(), name="shutdown")

    def call_off(self) -> None:
        self._say(Said("Normal", "NodeShutdown", "Shutdown manager detected shutdown cancellation"))
        self.under_way = False
        self._changed()

    async def begin(self) -> None:
        """End all pods, group by group, each in its time."""
        self._say(Said("Normal", "NodeShutdown", "Shutdown manager detected shutdown event"))
        self.under_way = True
        self._changed()
        active = [each for each in self._pods.all() if not _is_over(each)]
        for group in plan.groups(self._periods, [each.pod for each in active]):
            uids = {uid_of(pod) for pod in group.pods}
            members = [each for each in active if each.uid in uids]
            log.info("ending pods", priority=group.period.priority, count=len(members), seconds=group.period.seconds)
            for each in members:
                each.evict(REASON, MESSAGE, float(group.period.seconds), disruption=True)
            await self._ended(members, time.monotonic() + group.period.seconds)
        log.info("the node's pods have ended; the machine may go down")

    async def _ended(self, workers: Sequence[PodWorker], until: float) -> None:
        left = list(workers)
        while left and time.monotonic() < until:
            left = [each for each in left if not _is_over(each)]
            if left:
                await asyncio.sleep(LOOK_EVERY)
        for each in left:
            log.warning("a pod has not ended in its time", pod=each.uid)
        flush = self._pods.node.channel.flush
        tellings = [asyncio.create_task(flush(each.pod, each.status)) for each in workers if each.status is not None]
        if tellings:
            await asyncio.wait(tellings, timeout=max(until - time.monotonic(), LOOK_EVERY))


def _is_over(worker: PodWorker) -> bool:
    running = any(each.state is State.RUNNING and not each.is_sandbox for each in worker.containers())
    status = worker.status or worker.pod.status
    return not running and status is not None and status.phase in TERMINAL


def shutdown_periods(options: Options) -> tuple[plan.Period, ...]:
    """Raises Fatal for options that make no sense."""
    return plan.periods(
        float(options.shutdown_grace_period),
        float(options.shutdown_grace_period_critical_pods),
        options.shutdown_grace_period_by_pod_priority,
    )
