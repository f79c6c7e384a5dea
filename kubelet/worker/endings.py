"""How a pod's containers begin and end beside its worker: postStart and preStop hooks, signals, SIGKILL.

What is to be done when is decided elsewhere, from what this holds: `stops` and `hooks`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from api.types import core_v1
from kubelet.lifecycle.view import Stop
from kubelet.probes.handler import Target
from kubelet.probes.hooks import run_hook
from kubelet.runtime.container import Container
from kubelet.worker.chores import Chores
from kubelet.worker.failures import Failures
from kubelet.worker.steps import Steps


class Endings:
    """One pod's. `changed()` is called when there may be something new to decide."""

    def __init__(self, steps: Steps, chores: Chores, failures: Failures, changed: Callable[[], None]) -> None:
        self._steps, self._chores, self._failures, self._changed = steps, chores, failures, changed
        self.stops: dict[str, Stop] = {}
        self.hooks: dict[str, str] = {}
        """postStart hooks by container id: empty while one runs, or what to say of its failure."""
        self._running: dict[str, asyncio.Task[None]] = {}

    def started(self, spec: core_v1.Container, container_id: str, ips: tuple[str, ...]) -> None:
        """A container has just started: it isn't up before its postStart hook is done."""
        hook = spec.lifecycle.postStart if spec.lifecycle is not None else None
        if hook is not None:
            self.hooks[container_id] = ""
            work = self._post_start(hook, Target(spec, container_id, next(iter(ips), "")))
            self._running[container_id] = self._chores.begin(work)

    def stop(self, containers: Iterable[Container], grace: float, why: str) -> None:
        """Tell so, and run the preStop hooks; once more if it was asked before with more grace."""
        now = time.time()
        for each in containers:
            spec = self._steps.spec_or_none(each.name)
            self._steps.say_of(each.name, "Normal", "Killing", why.format(name=each.name))
            self._give_up_hook(each.id)
            hook = spec.lifecycle.preStop if spec is not None and spec.lifecycle is not None and grace > 0 else None
            self.stops[each.id] = Stop(now, grace, hooked=hook is None)
            if hook is not None and spec is not None:
                ip = next(iter(self._steps.ips(each.sandbox_id) or self._steps.node.host_ips), "")
                self._running[each.id] = self._chores.begin(self._pre_stop(hook, Target(spec, each.id, ip), grace))

    def signal(self, containers: Iterable[Container]) -> None:
        now = time.time()
        for each in containers:
            self._give_up_hook(each.id)
            self.stops[each.id] = replace(self.stops[each.id], signalled_at=now)
            self._chores.begin(self._steps.signal(each))

    async def kill(self, ids: tuple[str, ...]) -> None:
        now = time.time()
        self.stops |= {each: replace(self.stops[each], killed_at=now) for each in ids}
        await self._steps.kill(ids)

    def shift(self, seconds: float) -> None:
        """The clock was set: the graces last as long as before."""
        for each, stop in self.stops.items():
            self.stops[each] = replace(
                stop,
                asked_at=stop.asked_at + seconds,
                signalled_at=None if stop.signalled_at is None else stop.signalled_at + seconds,
                killed_at=None if stop.killed_at is None else stop.killed_at + seconds,
            )

    def ended(self, container_id: str) -> None:
        """The container runs no more: whatever was to end it is over."""
        self._give_up_hook(container_id)
        self.stops.pop(container_id, None)
        self.hooks.pop(container_id, None)

    def _give_up_hook(self, container_id: str) -> None:
        task = self._running.pop(container_id, None)
        if task is not None:
            task.cancel()

    async def _post_start(self, hook: core_v1.LifecycleHandler, target: Target) -> None:
        name = target.container.name
        failed = await run_hook(self._steps.node.asker, hook, target, None)
        if not failed:
            self.hooks.pop(target.container_id, None)
        else:
            self._steps.say_of(name, "Warning", "FailedPostStartHook", "PostStartHook failed")
            self.hooks[target.container_id] = failed
            self._failures.tell(name, "PostStartHookError", failed)
        self._running.pop(target.container_id, None)
        self._changed()

    async def _pre_stop(self, hook: core_v1.LifecycleHandler, target: Target, grace: float) -> None:
        if await run_hook(self._steps.node.asker, hook, target, grace):
            # What went wrong may hold what the container keeps to itself.
            self._steps.say_of(target.container.name, "Warning", "FailedPreStopHook", "PreStopHook failed")
        begun = self.stops.get(target.container_id)
        if begun is not None:
            self.stops[target.container_id] = replace(begun, hooked=True)
        self._running.pop(target.container_id, None)
        self._changed()
