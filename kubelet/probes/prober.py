"""Keeps the probes of a pod's running containers going, one task for each, and holds what they say.

The startup probe comes first: until it has succeeded, the others are not asked. A container that was running before
this kubelet keeps the readiness it was told to have until its probe says otherwise, so a kubelet's restart unreadies
nothing. Of a pod that ends only the readiness is asked any more.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any

from api.types import core_v1
from daemon.log import logger
from kubelet.lifecycle.view import Health
from kubelet.probes.answer import Answer
from kubelet.probes.handler import Asker, Target
from kubelet.probes.thresholds import Rule, Tally
from kubelet.runtime.container import Container

log = logger(__name__)

Say = Callable[[core_v1.Container, str, str, str], None]
"""Tells an event about a container: type, reason, message."""
_TRIES = 3
"""How often a question is put that could not be put."""
_RESULTS = {True: "successful", False: "failed", None: "unknown"}


class Prober:
    """The probes of one pod. `changed()` is called when what is held of a container changes."""

    def __init__(self, asker: Asker, changed: Callable[[], None], say: Say) -> None:
        self._asker = asker
        self._changed = changed
        self._say = say
        self._health: dict[str, Health] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending = False
        self.counts: Counter[tuple[str, str, str]] = Counter()
        """Answers by container, kind of probe and result."""

    @property
    def health(self) -> dict[str, Health]:
        return dict(self._health)

    def follow(
        self,
        running: Iterable[tuple[core_v1.Container, Container]],
        ip: str,
        was_ready: Callable[[Container], tuple[bool, bool]],
        *,
        ending: bool = False,
    ) -> None:
        """Probe just these containers. `was_ready` tells whether one was held to be started and ready before."""
        self._ending = ending
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
            await self._watch("Startup", spec.startupProbe, target, since)
            if not self._health[target.container_id].started:
                return
        async with asyncio.TaskGroup() as group:
            if spec.livenessProbe is not None:
                group.create_task(self._watch("Liveness", spec.livenessProbe, target, since))
            if spec.readinessProbe is not None:
                group.create_task(self._watch("Readiness", spec.readinessProbe, target, since))

    async def _watch(self, kind: str, probe: core_v1.Probe, target: Target, since: float) -> None:
        """Ask again and again; of a startup probe until it has succeeded, of a condemned container no more."""
        rule = Rule.of(probe)
        tally = Tally(self._health[target.container_id].ready if kind == "Readiness" else None)
        await self._begin(rule, since)
        async for _ in _ticks(rule.period):
            if self._ending and kind != "Readiness":
                return
            answer = await self._ask(kind, probe, target, rule)
            if answer.ok is None:
                continue  # what could not be asked counts neither way
            tally = tally.take(answer.ok, rule)
            if tally.verdict is None:
                continue
            if kind == "Readiness":
                self._hold(target, ready=tally.verdict)
            elif not tally.verdict:
                grace = (
                    None if probe.terminationGracePeriodSeconds is None else float(probe.terminationGracePeriodSeconds)
                )
                self._hold(target, alive=False, why=f"failed {kind.lower()} probe", grace=grace)
                return
            elif kind == "Startup":
                self._hold(target, started=True)
                return

    async def _begin(self, rule: Rule, since: float) -> None:
        """Wait until the container is old enough to be asked, and this kubelet if it has many to ask."""
        await asyncio.sleep(min(max(since + rule.delay - time.time(), 0.0), rule.delay))
        if time.monotonic() - self._asker.began < rule.period and since < time.time() - rule.period:
            await asyncio.sleep(rule.period * random.random())

    async def _ask(self, kind: str, probe: core_v1.Probe, target: Target, rule: Rule) -> Answer:
        for _ in range(_TRIES):
            answer = await self._asker.ask(probe, target, rule.timeout)
            if answer.ok is not None:
                break
        self.counts[target.container.name, kind, _RESULTS[answer.ok]] += 1
        if answer.ok is None:
            message = f"{kind} probe errored and resulted in unknown state: {answer.said}"
            self._say(target.container, "Warning", "Unhealthy", message)
        elif not answer.ok:
            self._say(target.container, "Warning", "Unhealthy", f"{kind} probe failed: {answer.said}")
        elif answer.warning:
            self._say(target.container, "Warning", "ProbeWarning", f"{kind} probe warning: {answer.said}")
        return answer

    def _hold(self, target: Target, **news: Any) -> None:
        """Hold other fields of the container's `Health`."""
        held = self._health.get(target.container_id)
        if held is not None and (fresh := replace(held, **news)) != held:
            self._health[target.container_id] = fresh
            self._changed()


def _probed(spec: core_v1.Container) -> bool:
    return any((spec.startupProbe, spec.livenessProbe, spec.readinessProbe))


async def _ticks(period: float) -> AsyncIterator[None]:
    """One at once, then one each period; an answer that took longer is followed by the next question at once."""
    due = time.monotonic()
    while True:
        yield
        due = max(due + period, time.monotonic())
        await asyncio.sleep(due - time.monotonic())
