"""The pods that wait for a node: ready ones in order, rejected ones until something happens that may help them.

A pod is in one of three places. *active*: to be decided next. *backoff*: to be tried again, but not at once.
*rejected*: fits nowhere for now; an event that one of the filters which rejected it asked for moves it on, and so
does time, in case an event's meaning was misjudged. Pure but for the clock, which is an argument.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from scheduler.framework import Happening
from scheduler.podinfo import PodInfo

FIRST_BACKOFF = 1.0
MOST_BACKOFF = 10.0
REJECTED_FOR = 300.0
"""Seconds after which a rejected pod is tried again although nothing happened."""

SortKey = Callable[[PodInfo, float], tuple[float, ...]]


@dataclass(slots=True, eq=False)
class Waiting:
    """A pod in the queue and how it fared."""

    info: PodInfo
    since: float
    attempts: int = 0
    tried_at: float = 0.0
    helped_by: Happening = Happening.ANY
    place: str = field(default="active")

    @property
    def ready_at(self) -> float:
        """When its backoff is over."""
        if not self.attempts:
            return 0.0
        return self.tried_at + min(MOST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(self.attempts - 1, 10))


class SchedulingQueue:
    def __init__(self, sort_key: SortKey, clock: Callable[[], float]) -> None:
        self._sort_key, self._clock = sort_key, clock
        self._pods: dict[str, Waiting] = {}
        self._active: list[tuple[tuple[float, ...], int, Waiting]] = []
        self._backoff: list[tuple[float, int, Waiting]] = []
        self._rejected: dict[str, Waiting] = {}
        """In the order in which they were tried."""
        self._order = itertools.count()
        self._ready = asyncio.Event()
        self._counts = {"active": 0, "backoff": 0, "unschedulable": 0}

    def __contains__(self, uid: str) -> bool:
        return uid in self._pods

    def sizes(self) -> dict[str, int]:
        """Pods by place, by the names that Kubernetes' metrics have for them."""
        return dict(self._counts)

    def add(self, info: PodInfo) -> None:
        """A pod without a node came, or changed in a way that may matter."""
        known = self._pods.get(info.uid)
        if known is None:
            self._put_active(Waiting(info, self._clock()))
            return
        known.info = info
        if known.place == "rejected" and known.helped_by & Happening.POD_CHANGED:
            self._move_on(known)

    def remove(self, uid: str) -> None:
        known = self._pods.pop(uid, None)
        if known is not None:
            self._leave(known)

    def pop(self) -> Waiting | None:
        """The next pod, or None when none is ready. It is out of the queue; `reject` or `retry` puts it back."""
        self.wake_due()
        while self._active:
            _, _, waiting = heapq.heappop(self._active)
            if waiting.place == "active" and self._pods.get(waiting.info.uid) is waiting:
                self._leave(waiting)
                del self._pods[waiting.info.uid]
                return waiting
        self._ready.clear()
        return None

    async def wait(self) -> None:
        """Until a pod may be ready."""
        delay = self.next_due()
        if delay is None:
            await self._ready.wait()
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(max(0.0, delay), self._ready.set)
        try:
            await self._ready.wait()
        finally:
            timer.cancel()

    def reject(self, waiting: Waiting, helped_by: Happening) -> None:
        """It fits nowhere until something of `helped_by` happens."""
        if waiting.info.uid in self._pods:
            return
        self._tried(waiting)
        waiting.helped_by = helped_by
        self._enter(waiting, "rejected")
        self._rejected[waiting.info.uid] = waiting

    def retry(self, waiting: Waiting) -> None:
        """Something went wrong with it; it is tried again after its backoff."""
        if waiting.info.uid in self._pods:
            return
        self._tried(waiting)
        self._put_backoff(waiting)

    def happened(self, what: Happening) -> None:
        """Move on the rejected pods which that may help."""
        for waiting in [each for each in self._rejected.values() if each.helped_by & what]:
            self._move_on(waiting)

    def wake_due(self) -> None:
        """Move on the pods whose time has come."""
        now = self._clock()
        while self._backoff and self._backoff[0][0] <= now:
            _, _, waiting = heapq.heappop(self._backoff)
            if waiting.place == "backoff" and self._pods.get(waiting.info.uid) is waiting:
                self._leave(waiting)
                self._put_active(waiting)
        while (oldest := self._longest_rejected()) is not None and now - oldest.tried_at >= REJECTED_FOR:
            self._move_on(oldest)

    def next_due(self) -> float | None:
        """Seconds until `wake_due` has something to do; None when nothing waits for its time."""
        times = [self._backoff[0][0]] if self._backoff else []
        if (oldest := self._longest_rejected()) is not None:
            times.append(oldest.tried_at + REJECTED_FOR)
        return min(times) - self._clock() if times else None

    def _longest_rejected(self) -> Waiting | None:
        return next(iter(self._rejected.values()), None)

    def _tried(self, waiting: Waiting) -> None:
        waiting.attempts += 1
        waiting.tried_at = self._clock()

    def _move_on(self, waiting: Waiting) -> None:
        self._leave(waiting)
        if waiting.ready_at > self._clock():
            self._put_backoff(waiting)
        else:
            self._put_active(waiting)

    def _put_active(self, waiting: Waiting) -> None:
        self._enter(waiting, "active")
        heapq.heappush(self._active, (self._sort_key(waiting.info, waiting.since), next(self._order), waiting))
        self._ready.set()

    def _put_backoff(self, waiting: Waiting) -> None:
        self._enter(waiting, "backoff")
        heapq.heappush(self._backoff, (waiting.ready_at, next(self._order), waiting))
        self._ready.set()  # whoever waits must learn of the new time

    def _enter(self, waiting: Waiting, place: str) -> None:
        waiting.place = place
        self._pods[waiting.info.uid] = waiting
        self._counts["unschedulable" if place == "rejected" else place] += 1

    def _leave(self, waiting: Waiting) -> None:
        self._rejected.pop(waiting.info.uid, None)
        self._counts["unschedulable" if waiting.place == "rejected" else waiting.place] -= 1
        waiting.place = "out"
