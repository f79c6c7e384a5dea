"""The workers of every controller: take a key, reconcile it, and have it again if that failed.

A `Conflict` only means that somebody was faster: the key comes back soon and without noise. Anything else is logged and
comes back later and later. `reconcile` may return seconds after which it wants the key again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from api import errors
from client.queue import ShutDown, WorkQueue
from client.rest import Unreachable
from daemon.log import logger

log = logger(__name__)

Reconcile = Callable[[str], Awaitable[float | None]]


async def run_workers(queue: WorkQueue, reconcile: Reconcile, workers: int = 1, name: str = "") -> None:
    """Until the queue is shut down, or cancelled."""
    async with asyncio.TaskGroup() as group:
        for number in range(workers):
            group.create_task(_work(queue, reconcile, name), name=f"{name or 'worker'}-{number}")


async def _work(queue: WorkQueue, reconcile: Reconcile, name: str) -> None:
    while True:
        try:
            key = await queue.get()
        except ShutDown:
            return
        try:
            await _handle(queue, reconcile, key, name)
        finally:
            queue.done(key)


async def _handle(queue: WorkQueue, reconcile: Reconcile, key: str, name: str) -> None:
    try:
        again = await reconcile(key)
    except errors.Conflict as error:
        log.debug("changed meanwhile, trying again", controller=name, key=key, reason=error.message)
        queue.add_rate_limited(key)
    except (errors.StatusError, Unreachable) as error:
        queue.add_rate_limited(key)
        log.warning("failed, trying again", controller=name, key=key, reason=str(error), tries=queue.failures(key))
    except Exception:
        queue.add_rate_limited(key)
        log.exception("failed, trying again", controller=name, key=key, tries=queue.failures(key))
    else:
        queue.forget(key)
        if again is not None:
            queue.add_after(key, again)
