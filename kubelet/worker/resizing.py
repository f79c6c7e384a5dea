"""One pod's resizes: whether the node has room for them, and giving them to what runs. What is due is decided in
`lifecycle.resize`; this is the worker's part of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from api.types import core_v1
from kubelet.cgroups.stats import read
from kubelet.lifecycle.resize import Pending, Resizing, Resources, changes, differ, keep, message, remembered
from kubelet.lifecycle.view import View
from kubelet.pod import resources
from kubelet.runtime.container import Container
from kubelet.runtime.errors import EngineError, Hung, Unreachable
from kubelet.worker.steps import StepFailed, Steps

RETRY = 5.0
"""Seconds after which a resize that had to wait is tried again."""


class Resizer:
    """`steps.pod` is the pod as allocated; `desired` as the API server has it."""

    def __init__(self, steps: Steps, desired: core_v1.Pod) -> None:
        self._steps, self._desired = steps, desired
        self._pending: Pending | None = None
        self._given: dict[str, Resources] = {}
        self._under_way = False
        steps.pod = remembered(desired)

    def update(self, desired: core_v1.Pod) -> None:
        """The API server has a newer version of the pod."""
        self._desired = desired
        self._steps.pod = keep(desired, self._steps.pod)

    @property
    def now(self) -> Resizing:
        return Resizing(self._pending, self._given)

    def retry_at(self, now: float) -> float | None:
        """When to ask again for room."""
        return now + RETRY if self._pending is not None and self._pending.reason == "Deferred" else None

    def started(self, container_id: str, given: Resources | None) -> None:
        self._given[container_id] = given or Resources()

    def removed(self, ids: Iterable[str]) -> None:
        for each in ids:
            self._given.pop(each, None)

    async def allocate(self) -> None:
        """Allocate what is desired if the node has room for it. Raises StepFailed if the cgroup can't grow."""
        steps, desired = self._steps, self._desired
        if not differ(desired, steps.pod):
            self._pending = None
            return
        refused = steps.node.resizable(desired)
        if refused is not None:
            if refused != self._pending:
                said = message(refused.reason, desired, refused.message)
                steps.say("Warning", f"Resize{refused.reason}", said)
            self._pending = refused
            return
        self._pending = None
        steps.pod, self._under_way = desired, True
        steps.say("Normal", "ResizeStarted", message("started", desired))
        await self._cgroup(grow=True)

    def completed(self, view: View) -> None:
        """Tell the end of a resize once nothing of it is left to do."""
        if self._under_way and not view.outdated:
            self._under_way = False
            self._steps.say("Normal", "ResizeCompleted", message("completed", self._steps.pod))

    async def give(self, view: View, ids: Iterable[str]) -> None:
        """Let running containers have what they are allocated. Raises StepFailed."""
        outdated = {each.id: each for each in view.outdated}
        await self._cgroup(grow=True)
        for each in [outdated[container_id] for container_id in ids]:
            spec = view.specs[each.name]
            before = view.given(each)
            try:
                await self._check(each, before, spec)
                await self._steps.node.engine.update(
                    each.id, _body(spec, changes(before, spec.resources), self._steps.node.ground.cpu_period)
                )
            except (Unreachable, Hung):
                raise
            except EngineError as error:
                raise self._failed(str(error)) from error
            self.started(each.id, spec.resources)
        await self._cgroup(grow=False)

    async def _check(self, running: Container, before: Resources | None, spec: core_v1.Container) -> None:
        """Raises StepFailed for less memory than is in use: the kernel would kill the container for it."""
        cgroups, now = self._steps.node.cgroups, resources.limits(spec).memory
        old = resources.limits(core_v1.Container(name="", resources=before)).memory
        if not now or (old and now >= old):
            return
        path = cgroups.tree.container(cgroups.parent(self._steps.pod), running.id)
        used = (await asyncio.to_thread(read, cgroups.tree, path)).memory
        if used is not None and used.working_set > now:
            what = f'container "{running.name}" memory limit ({now}) below current usage ({used.working_set})'
            raise self._failed(f"attempting to set {what}")

    async def _cgroup(self, *, grow: bool) -> None:
        try:
            await asyncio.to_thread(self._steps.node.cgroups.resize, self._steps.pod, grow=grow)
        except OSError as error:
            raise self._failed(f"the pod's cgroup: {error}") from error

    def _failed(self, why: str) -> StepFailed:
        self._steps.say("Warning", "ResizeError", message("error", self._steps.pod, why))
        return StepFailed("resize", "Error", why)


def _body(spec: core_v1.Container, changed: set[str], period: int) -> dict[str, int]:
    """Docker's words for the container's new limits, of what has changed: 0 leaves a limit as it is."""
    whole = resources.limits(spec, period).host_config(period)
    return {
        name: number for name, number in whole.items() if ("cpu" if name.startswith("Cpu") else "memory") in changed
    }
