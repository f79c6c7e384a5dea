"""Runs the simulated nodes beside a test that calls kubectl, and keeps count of the pods at every moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from api.types import core_v1
from client import kubeconfig
from client.rest import Client
from tests.harness.process import wait_until
from tests.integration.controllers.nodes import Nodes, is_active, is_ready

T = TypeVar("T")


@dataclass
class Count:
    """Over all moments since it was begun: the most and the fewest pods of an app that there were."""

    namespace: str
    app: str
    most: int = 0
    fewest_ready: int = 1_000_000
    history: list[tuple[int, int]] = field(default_factory=list)

    def ready_of(self, pods: list[core_v1.Pod]) -> int:
        return sum(self._is_mine(pod) and is_active(pod) and is_ready(pod) for pod in pods)

    def note(self, pods: list[core_v1.Pod]) -> None:
        mine = [pod for pod in pods if self._is_mine(pod) and is_active(pod)]
        ready = self.ready_of(mine)
        self.most, self.fewest_ready = max(self.most, len(mine)), min(self.fewest_ready, ready)
        self.history.append((len(mine), ready))

    def _is_mine(self, pod: core_v1.Pod) -> bool:
        data = pod.metadata
        return data is not None and data.namespace == self.namespace and (data.labels or {}).get("app") == self.app


class Simulation(AbstractContextManager["Simulation"]):
    def __init__(self, kubeconfig_path: Path) -> None:
        self._path = kubeconfig_path
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="simulation")
        self._counts: list[Count] = []
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self.nodes: Nodes

    def __enter__(self) -> Simulation:
        self._thread.start()
        self._started.result(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def count(self, namespace: str, app: str, ready: int = 0) -> Count:
        """Begin to count, once the nodes too have seen so many ready pods."""
        made = Count(namespace, app)
        wait_until(f"{ready} ready pods", lambda: made.ready_of(self.nodes.pods.items()) >= ready)
        self._counts.append(made)
        return made

    def ready_if(self, ready: Callable[[core_v1.Pod], bool]) -> None:
        """Which pods become ready from now on."""

        async def change() -> None:
            self.nodes.ready = ready
            self.nodes.look_again()

        self.call(change())

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the simulation's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with Client(kubeconfig.load(self._path)) as client:
                self.client = client
                self.nodes = Nodes(client)
                async with self.nodes.running():
                    self.nodes.pods.on_change(lambda key, old, new: self._changed())
                    self._started.set_result(None)
                    await self._stop.wait()
        except BaseException as error:
            if not self._started.done():
                self._started.set_exception(error)
            raise

    def _changed(self) -> None:
        if self._counts:
            pods = self.nodes.pods.items()
            for each in self._counts:
                each.note(pods)
