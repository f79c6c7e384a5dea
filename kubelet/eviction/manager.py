"""The look at the node every ten seconds, and what follows from it. What to do is decided in `decide` and `storage`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from api.types import core_v1
from daemon.log import logger
from kubelet.eviction import metrics
from kubelet.eviction.decide import Evict, History, Look, Observations, Settings, look, relieved, to_free, victim
from kubelet.eviction.measure import Meter, Target
from kubelet.eviction.storage import is_limited, overrun
from kubelet.eviction.thresholds import IMAGE_FS, IMAGE_INODES, NODE_FS, NODE_INODES, Threshold
from kubelet.runtime.errors import EngineError

log = logger(__name__)

LOOK_EVERY = 10.0
END_DEADLINE = 30.0
"""Seconds to wait for an evicted pod's containers to end before the next is looked for."""
_DISK = (NODE_FS, NODE_INODES, IMAGE_FS, IMAGE_INODES)
_TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Hands:
    """What the manager needs of its surroundings."""

    targets: Callable[[], Sequence[Target]]
    reclaim: Callable[[int], Awaitable[None]]
    """Free so many bytes of disk that nobody uses. Raises EngineError or OSError."""
    warn: Callable[[str, str], None]
    """An event about the node: reason and message."""
    changed: Callable[[], None]
    """The node's conditions have changed."""
    say: Callable[[core_v1.Pod, str], None]
    """The event Evicted of a pod."""


class Evictions:
    """`conditions` are those of the node that hold now."""

    def __init__(
        self,
        settings: Settings,
        observe: Callable[[], Observations],
        meter: Meter,
        hands: Hands,
        *,
        storage_limits: bool = True,
    ) -> None:
        self._settings, self._observe, self._meter, self._hands = settings, observe, meter, hands
        self._storage_limits = storage_limits
        self._history = History()
        self.conditions: frozenset[str] = frozenset()

    async def run(self) -> None:
        """For ever. Begin once the pods are known: nobody could be evicted before."""
        while True:
            evicted: Target | None = None
            try:
                evicted = await self.once(time.monotonic())
            except (EngineError, OSError) as error:
                log.warning("no look at what the node has left", error=str(error))
            if evicted is None or not await self._ended(evicted):
                await asyncio.sleep(LOOK_EVERY)

    async def _ended(self, evicted: Target) -> bool:
        """Whether all that the pod took is given back, in time for the next look to see it."""
        deadline = time.monotonic() + END_DEADLINE
        while not evicted.cleaned:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.5)
        return True

    async def look(self, now: float) -> tuple[Look, Observations]:
        """See what is left, and what the node's conditions are. Raises OSError."""
        seen = await asyncio.to_thread(self._observe)
        found = look(seen, self._settings, self._history, now)
        self._history, before = found.history, self.conditions
        self.conditions = found.conditions
        if before != found.conditions:
            log.info("the node's conditions change", conditions=sorted(found.conditions))
            self._hands.changed()
        return found, seen

    async def once(self, now: float) -> Target | None:
        """One look; the pod that was evicted, if one was. Raises EngineError or OSError."""
        found, seen = await self.look(now)
        targets = {each.uid: each for each in self._hands.targets() if _is_active(each)}
        self._meter.keep(targets, [each.id for target in targets.values() for each in target.containers()])
        evicted = await self._greedy(targets) if self._storage_limits else None
        if evicted is not None or found.short is None:
            return evicted
        return await self._relieve(found.short, seen, targets)

    async def _greedy(self, targets: dict[str, Target]) -> Target | None:
        """End each pod that takes more disk than it may; the last of them."""
        ended = None
        for target in targets.values():
            if not is_limited(target.pod):
                continue
            step = overrun(await self._meter.use(target, disk=True))
            if step is not None:
                ended = target
                self._evict(target, step)
        return ended

    async def _relieve(self, short: Threshold, seen: Observations, targets: dict[str, Target]) -> Target | None:
        log.warning("the node runs short", resource=short.resource, signal=short.signal)
        self._hands.warn("EvictionThresholdMet", f"Attempting to reclaim {short.resource}")
        if short.signal in _DISK:
            await self._hands.reclaim(to_free(short, seen))
            seen = await asyncio.to_thread(self._observe)
            if relieved(seen, self._settings):
                return None
        disk = short.resource in ("ephemeral-storage", "inodes")
        uses = [await self._meter.use(each, disk=disk) for each in targets.values()]
        step = victim(short, uses, seen, self._settings)
        if step is None:
            log.warning("no pod may be evicted", resource=short.resource)
            return None
        chosen = next(each for each in targets.values() if each.pod is step.use.pod)
        self._evict(chosen, step)
        return chosen

    def _evict(self, target: Target, step: Evict) -> None:
        log.info("evicting a pod", pod=target.uid, signal=step.signal, why=step.message)
        metrics.EVICTIONS.labels(step.signal).inc()
        self._hands.say(target.pod, step.message)
        target.evict("Evicted", step.message, step.grace, disruption=step.disruption)


def _is_active(target: Target) -> bool:
    """Whether anything of the pod runs, or may come to."""
    status, metadata = target.status or target.pod.status, target.pod.metadata
    if status is not None and status.phase in _TERMINAL:
        return False
    return metadata is None or metadata.deletionTimestamp is None
