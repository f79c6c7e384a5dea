"""Follows Docker: its events as they come, the full list when they begin, and again from time to time as a safety
net."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from client.backoff import Backoff
from daemon.log import logger
from kubelet.images.images import Images
from kubelet.runtime.container import Container, State, from_inspect, from_summary
from kubelet.runtime.engine import Engine, EventStream
from kubelet.runtime.errors import EngineError, NotFound
from kubelet.runtime.inventory import Inventory

log = logger(__name__)


class EngineWatch:
    """Keeps the inventory true. `up` is set while Docker answers."""

    def __init__(self, engine: Engine, inventory: Inventory, images: Images, node: str, up: asyncio.Event) -> None:
        self._engine, self._inventory, self._images = engine, inventory, images
        self._node = node
        self._up = up
        self.on_change: Callable[[], None] = lambda: None
        """Called when Docker goes away and when it is back."""
        self._inspections: set[asyncio.Task[None]] = set()
        self.last_list = 0.0
        self.trouble = "Docker has not answered yet"

    async def run(self, relist_period: float) -> None:
        """For ever: reconnects when Docker goes away."""
        backoff = Backoff(0.1, 5.0)
        while True:
            try:
                if not self._engine.connected:
                    await self._engine.connect()
                stream = await self._engine.events(self._node)
                try:
                    await self.relist()
                    self._say_state("")
                    backoff.reset()
                    await self._follow(stream, relist_period)
                finally:
                    stream.close()
                self._say_state("Docker closed its event stream")
            except EngineError as error:
                self._say_state(str(error))
            log.warning("Docker is away", why=self.trouble)
            await asyncio.sleep(backoff.next())

    def _say_state(self, trouble: str) -> None:
        self.trouble = trouble
        if trouble:
            self._up.clear()
        else:
            self._up.set()
        self.on_change()

    async def _follow(self, stream: EventStream, relist_period: float) -> None:
        lister = asyncio.create_task(self._relist_forever(relist_period))
        try:
            async for event in stream:
                self._take(event)
        finally:
            lister.cancel()

    async def _relist_forever(self, period: float) -> None:
        while True:
            await asyncio.sleep(period)
            try:
                await self.relist()
                why = ""
            except EngineError as error:
                # Its events may still come, but an engine that doesn't answer is as good as away.
                why = str(error)
                log.warning("Docker's containers could not be listed", error=why)
            if why != self.trouble:
                self._say_state(why)

    def _take(self, event: dict[str, object]) -> None:
        if event.get("Type") == "image":
            self._images.changed()
            return
        unclear = self._inventory.apply(event)
        if unclear:
            task = asyncio.create_task(self._inspect(unclear))
            self._inspections.add(task)
            task.add_done_callback(self._inspections.discard)

    async def relist(self) -> None:
        """Compare with Docker's full list; what it doesn't tell of a container (how it ended) is asked for."""
        before = [each.id for each in self._inventory.all()]
        entries = [from_summary(each) for each in await self._engine.containers(self._node)]
        unclear = [each.id for each in entries if self._is_news(each)]
        await asyncio.gather(*(self._inspect(each) for each in unclear))
        self._inventory.keep_only([each.id for each in entries], before)
        self.last_list = time.time()

    def _is_news(self, entry: Container) -> bool:
        known = self._inventory.get(entry.id)
        return (
            known is None
            or (entry.state > known.state)
            or (entry.state is State.RUNNING and known.state is State.EXITED)
        )

    async def _inspect(self, container_id: str) -> None:
        try:
            self._inventory.put(from_inspect(await self._engine.inspect(container_id)))
        except NotFound:
            self._inventory.removed(container_id)
        except EngineError as error:
            log.warning("a container could not be inspected", container=container_id[:12], error=str(error))
