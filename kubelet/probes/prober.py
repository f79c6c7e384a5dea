"""Keeps the probes of a pod's running containers going, one task for each, and holds what they say.

The startup probe comes first: until it has succeeded, the others are not asked. A container that was running before
this kubelet keeps the readiness it was told to have until its probe says otherwise, so a kubelet's restart unreadies
nothing.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from api.types import core_v1
from daemon.log import logger
from kubelet.lifecycle.view import Health
from kubelet.probes.handler import Answer, Asker, Target
from kubelet.probes.thresholds import Rule, Tally
from kubelet.runtime.container import Container

log = logger(__name__)

Say = Callable[[core_v1.Container, str, str, str], None]
"""Tells an event about a container: type, reason, message."""


class Prober:
    """The probes of one pod. `changed()` is called when what is held of a container changes."""

    def __init__(self, asker: Asker, changed: Callable[[], None], say: Say) -> None:
        self._asker = asker
        self._changed = changed
        self._say = say
        self._health: dict[str, Health] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def health(self) -> dict[str, Health]:
        return dict(self._health)

    def follow(
        self,
        running: Iterable[tuple[core_v1.Container, Container]],
        ip: str,
        was_ready: Callable[[Container], tuple[bool, bool]],
    ) -> None:
        """Probe just these containers. `was_ready` tells whether one was held to be started and ready before."""
        wanted = {container.id: (spec, container) for spec, container in running}
        for gone in set(self._tasks) - set(wanted):
            self._tasks.pop(gone).cancel()
            self._health.pop(gone, None)
        for container_id, (spec, container) in wanted.items():
            if container_id in self._tasks or not _probed(spec):
                continue
            started, ready = was_ready(container)
            self._health[container_id] = Health(
                started=spec.startupProbe is None or started, ready=spec.readinessProbe is None or ready
            )
            target = Target(spec, container_id, ip)
            self._tasks[container_id] = asyncio.create_task(self._guarded(target, container.started_at))

    def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._health.clear()

    async def _guarded(self, target: Target, since: float) -> None:
        try:
            await self._probe(target, since)
        except Exception:  # nobody awaits this task: without a word in the log the container would go unprobed unseen
            log.exception("a probe stumbled", container=target.container.name, id=target.container_id[:12])

    async def _probe(self, target: Target, since: float) -> None:
        spec = target.container
        if spec.startupProbe is not None and not self._health[target.container_id].started:
            await self._ask_until_started(spec.startupProbe, target, since)
        async with asyncio.TaskGroup() as group:
            if spec.livenessProbe is not None:
                group.create_task(self._watch("Liveness", spec.livenessProbe, target, since))
            if spec.readinessProbe is not None:
                group.create_task(self._watch("Readiness", spec.readinessProbe, target, since))

    async def _ask_until_started(self, probe: core_v1.Probe, target: Target, since: float) -> None:
        rule, tally = Rule.of(probe), Tally(None)
        await _initial_delay(rule, since)
        while tally.verdict is not True:
            answer = await self._ask("Startup", probe, target, rule)
            tally = tally.take(answer.ok, rule)
            if tally.verdict is False:
                self._hold(target, alive=False, why="failed startup probe")
            if tally.verdict is not True:
                await asyncio.sleep(rule.period)
        self._hold(target, started=True)

    async def _watch(self, kind: str, probe: core_v1.Probe, target: Target, since: float) -> None:
        rule = Rule.of(probe)
        tally = Tally(self._health[target.container_id].ready if kind == "Readiness" else True)
        await _initial_delay(rule, since)
        while True:
            answer = await self._ask(kind, probe, target, rule)
            tally = tally.take(answer.ok, rule)
            if kind == "Readiness":
                self._hold(target, ready=bool(tally.verdict))
            elif tally.verdict is False:
                self._hold(target, alive=False, why="failed liveness probe")
            # A little unevenness keeps the probes of pods that started together from striking together.
            await asyncio.sleep(rule.period * random.uniform(0.95, 1.0))

    async def _ask(self, kind: str, probe: core_v1.Probe, target: Target, rule: Rule) -> Answer:
        answer = await self._asker.ask(probe, target, rule.timeout)
        if not answer.ok:
            self._say(target.container, "Warning", "Unhealthy", f"{kind} probe failed: {answer.said}")
        return answer

    def _hold(
        self,
        target: Target,
        *,
        started: bool | None = None,
        ready: bool | None = None,
        alive: bool | None = None,
        why: str = "",
    ) -> None:
        held = self._health.get(target.container_id)
        if held is None:
            return
        given = {"started": started, "ready": ready, "alive": alive}
        fresh = replace(held, **{key: value for key, value in given.items() if value is not None}, why=why or held.why)
        if fresh != held:
            self._health[target.container_id] = fresh
            self._changed()


def _probed(spec: core_v1.Container) -> bool:
    return any((spec.startupProbe, spec.livenessProbe, spec.readinessProbe))


async def _initial_delay(rule: Rule, since: float) -> None:
    """Wait until the container is old enough to be asked."""
    left = since + rule.delay - time.time()
    if left > 0:
        await asyncio.sleep(left)
