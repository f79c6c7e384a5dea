"""Disk that nobody uses, given back before a pod has to go: first containers that have ended for good, then images."""

from __future__ import annotations

from collections.abc import Iterable

from daemon.log import logger
from kubelet.eviction.measure import Target
from kubelet.runtime.container import Container, State
from kubelet.runtime.engine import Engine
from kubelet.runtime.inventory import Inventory

log = logger(__name__)

TERMINAL = ("Succeeded", "Failed")


def dead(targets: Iterable[Target]) -> list[Container]:
    """The containers that only their logs are kept for: all of a pod that is over, and what a later one replaced."""
    found = []
    for target in targets:
        status = target.status or target.pod.status
        over = status is not None and status.phase in TERMINAL
        ended = [each for each in target.containers() if each.state is State.EXITED and not each.is_sandbox]
        newest = {each.name: each.id for each in ended}
        running = {each.name for each in target.containers() if each.state is State.RUNNING}
        found += [each for each in ended if over or each.name in running or newest[each.name] != each.id]
    return found


async def remove_dead(engine: Engine, inventory: Inventory, targets: Iterable[Target]) -> None:
    """Raises EngineError."""
    for each in dead(targets):
        log.info("removing an ended container for its disk", container=each.id[:12], pod=each.pod_uid)
        await engine.remove(each.id)
        inventory.removed(each.id)
