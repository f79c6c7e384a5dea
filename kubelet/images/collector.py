"""Keeps the disk from filling up with images: looks every five minutes, and whenever the eviction manager asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.log import logger
from kubelet.images import garbage, metrics
from kubelet.images.garbage import Policy, Present
from kubelet.images.ledger import Ledger
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import Conflict, EngineError, NotFound, Unreachable
from kubelet.stats.file_system import FileSystem, file_system

log = logger(__name__)

LOOK_EVERY = 300.0


@dataclass(frozen=True, slots=True)
class _Found:
    """One look at the engine."""

    images: list[Present]
    used: frozenset[str]


class Collector:
    """`warn(reason, message)` tells an event about the node; `pinned()` names images that stay whatever happens."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        policy: Policy,
        warn: Callable[[str, str], None],
        pinned: Callable[[], Sequence[str]] = tuple,
        measure: Callable[[Path], FileSystem] = file_system,
    ) -> None:
        self._engine, self.ledger, self._policy = engine, ledger, policy
        self._warn, self._pinned, self._measure = warn, pinned, measure
        self.on_stock: Callable[[set[str]], None] = lambda present: None
        """Told the ids of the images that are there, at each look."""
        self._one_at_a_time = asyncio.Lock()
        self._trouble = False

    def brought(self, image_id: str, name: str) -> None:
        """An image came by a pull or a load of this kubelet's."""
        self.ledger.brought(image_id, name, time.time())

    async def run(self, up: asyncio.Event) -> None:
        """For ever: one look every five minutes while Docker answers."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await up.wait()
            try:
                await self.look()
            except Unreachable as error:
                log.debug("no look at the images", error=str(error))
            except (EngineError, OSError) as error:
                log.warning("images could not be collected", error=str(error))
                if self._trouble:  # once is an accident
                    self._warn("ImageGCFailed", str(error))
                self._trouble = True
            else:
                self._trouble = False

    async def look(self) -> None:
        """Remove what is too old, and what must go for the disk's sake. Raises EngineError, OSError."""
        async with self._one_at_a_time:
            found, now = await self._take_stock(), time.time()
            free = self._candidates(found, now)
            old = garbage.too_old(free, self.ledger.entries, self._policy, now)
            await self._remove(old, "age")
            disk = await self._disk()
            wanted = garbage.excess(disk.capacity, disk.available, self._policy)
            if not wanted:
                return
            used = 100 - disk.available * 100 // disk.capacity
            log.info("the disk is filling up", used=f"{used}%", high=f"{self._policy.high}%", to_free=wanted)
            freed = await self._free([each for each in free if each not in old], wanted)
            if freed < wanted:
                where = f"the node's image filesystem ({used}% of {disk.capacity} bytes used)"
                failed = f"Failed to free sufficient space by deleting unused images (freed {freed} bytes)"
                what = "Consider resizing the disk or deleting unused files."
                self._warn("FreeDiskSpaceFailed", f"Insufficient free disk space on {where}. {failed}. {what}")

    async def free(self, wanted: int) -> int:
        """Remove the least recently used images until the disk has `wanted` bytes more; how many more it has then.
        Raises EngineError, OSError."""
        async with self._one_at_a_time:
            return await self._free(self._candidates(await self._take_stock(), time.time()), wanted)

    def _candidates(self, found: _Found, now: float) -> list[Present]:
        return garbage.candidates(found.images, self.ledger.entries, found.used, self._policy, now)

    async def _take_stock(self) -> _Found:
        listed, containers = await asyncio.gather(self._engine.images(), self._engine.all_containers())
        images = [present(each) for each in listed]
        used = {str(each.get("ImageID", "")) for each in containers}
        pinned = set(self._pinned())
        used |= {each.id for each in images if pinned & {each.id, *each.names}}
        self.ledger.keep([each.id for each in images], used, time.time())
        self.on_stock({each.id for each in images})
        return _Found(images, frozenset(used))

    async def _free(self, found: Sequence[Present], wanted: int) -> int:
        """Remove the candidates in order until the disk has that much more, as the disk itself says."""
        before = (await self._disk()).available
        freed = 0
        for each in found:
            if freed >= wanted:
                break
            await self._remove([each], "space")
            freed = max((await self._disk()).available - before, 0)
        return freed

    async def _remove(self, images: Sequence[Present], why: str) -> None:
        for each in images:
            try:
                for name in each.names or each.digests or (each.id,):
                    await self._engine.remove_image(name)
            except NotFound:
                log.debug("was gone already", image=each.id)
            except Conflict as error:
                # A container or a child image came since: it is in use after all.
                log.info("an image stays", image=each.id, error=str(error))
                continue
            log.info("image removed", image=each.id, names=",".join(each.names), size=each.size, why=why)
            self.ledger.removed(each.id)
            metrics.COLLECTED.labels(why).inc()

    async def _disk(self) -> FileSystem:
        info = await self._engine.info()
        return await asyncio.to_thread(self._measure, Path(str(info.get("DockerRootDir") or "/")))


def present(entry: dict[str, Any]) -> Present:
    """From one entry of Docker's list of images."""
    names, digests = (
        tuple(str(each) for each in entry.get(key) or () if "<none>" not in str(each))
        for key in ("RepoTags", "RepoDigests")
    )
    return Present(str(entry["Id"]), names, int(entry.get("Size") or 0), digests)
