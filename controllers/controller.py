"""The one shape of all controllers: informers put keys on a queue, workers reconcile a key at a time."""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeVar

from prometheus_client import Histogram

from client.controller import run_workers
from client.informer import Informer
from client.queue import WorkQueue
from client.resources import KubeObject
from client.rest import Unreachable
from controllers.shared import Shared
from daemon.log import logger

log = logger(__name__)

_AWAY_DELAY = 1.0
"""Seconds between tries while the API server cannot be reached: one refused connection a key costs next to nothing."""
_MOST_DELAY = 10.0
"""Seconds between tries of a key that keeps failing."""

T = TypeVar("T", bound=KubeObject)

SECONDS = Histogram(
    "pytheas_controller_reconcile_seconds",
    "Time to reconcile one key, its requests included.",
    ["controller"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


class Controller(ABC):
    """A subclass reads informers in its constructor (`read`), hooks `on_change` to `queue`, and writes `reconcile`."""

    name: ClassVar[str]
    component: ClassVar[str] = ""
    """What its Events name as their source; its own name by default."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.client = shared.client
        self.options = shared.options
        self.clock = shared.clock
        self.queue = WorkQueue(most_delay=_MOST_DELAY)
        self.workers = shared.options.concurrent_syncs
        self.events = shared.recorder(self.component or self.name)
        self._reads: list[Informer[Any]] = []
        self._seconds = SECONDS.labels(self.name)

    def read(self, cls: type[T]) -> Informer[T]:
        """The informer of a kind. No key is worked on before all that were asked for are synced."""
        informer = self.shared.informers.of(cls)
        self._reads.append(informer)
        return informer

    @abstractmethod
    async def reconcile(self, key: str) -> float | None:
        """Bring what `key` names closer to what is wanted. Returns the seconds after which to look again, if any."""

    async def run(self) -> None:
        for informer in self._reads:
            await informer.synced()
        await run_workers(self.queue, self._timed, self.workers, self.name)

    async def _timed(self, key: str) -> float | None:
        started = time.perf_counter()
        try:
            return await self.reconcile(key)
        except Unreachable as error:
            log.debug("the API server is away", controller=self.name, key=key, reason=str(error))
            return random.uniform(0.5, 1.0) * _AWAY_DELAY
        finally:
            self._seconds.observe(time.perf_counter() - started)
