"""The images of one pod's containers on their way: fetched beside the worker, which no slow registry may hold up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from api.types import core_v1
from kubelet.images.images import Image
from kubelet.images.waits import containers
from kubelet.lifecycle.actions import StartContainer
from kubelet.worker.chores import Chores
from kubelet.worker.failures import Failures
from kubelet.worker.steps import StepFailed, Steps


class Pulls:
    """By container name. `changed()` is called when one has ended, well or not."""

    def __init__(self, steps: Steps, chores: Chores, failures: Failures, changed: Callable[[], None]) -> None:
        self._steps, self._chores, self._failures, self._changed = steps, chores, failures, changed
        self._running: dict[str, asyncio.Task[None]] = {}
        self._pulled: dict[str, Image] = {}

    @property
    def running(self) -> frozenset[str]:
        """The containers whose images are being fetched."""
        return frozenset(self._running)

    async def image_of(self, step: StartContainer) -> Image | None:
        """The container's image; None when it has to be fetched first, which has begun then. Raises StepFailed."""
        image = self._pulled.pop(step.name, None) or await self._steps.present_image(step)
        if image is None:
            self._running[step.name] = self._chores.begin(self._pull(step))
        return image

    def forget(self, name: str) -> None:
        """The container is to have another image: what was done for the old one is in vain."""
        self._failures.clear(name)
        self._pulled.pop(name, None)
        if (pull := self._running.pop(name, None)) is not None:
            pull.cancel()

    def look_again(self) -> None:
        """Images came or went: a container that waits for one may start before its back-off is over."""
        lacking = [each for each in containers(self._steps.spec) if self._failures.lacks_image(each.name)]
        if lacking:
            self._chores.begin(self._look(lacking))

    async def _look(self, lacking: list[core_v1.Container]) -> None:
        for each in lacking:
            if each.imagePullPolicy != "Always" and await self._steps.node.images.offers(each.image or ""):
                self._failures.clear(each.name)
                self._changed()

    async def _pull(self, step: StartContainer) -> None:
        pull = asyncio.current_task()
        try:
            self._pulled[step.name] = await self._steps.pull_image(step)
        except StepFailed as error:
            self._failures.note(error.what, error.reason, str(error))
        finally:
            # One that was cancelled may have a successor already.
            if self._running.get(step.name) is pull:
                del self._running[step.name]
            self._changed()
