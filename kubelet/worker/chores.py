"""What a pod's worker lets run beside its steps: pulls, hooks, signals. None of it may hold up the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from daemon.log import logger
from kubelet.runtime.errors import EngineError

log = logger(__name__)


class Chores:
    """One pod's. What fails for Docker's sake is logged: its purpose is tried again by the steps that follow."""

    def __init__(self, uid: str) -> None:
        self._uid = uid
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> list[asyncio.Task[None]]:
        """End them all; the tasks, to wait for."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        return tasks

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (EngineError, OSError) as error:
            log.warning("a call to Docker failed", pod=self._uid, error=str(error))
        except Exception:  # nobody awaits it: without a word in the log it would have stopped unseen
            log.exception("a chore stumbled", pod=self._uid)
