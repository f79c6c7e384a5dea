"""Writing bindings, many at a time, and finding out what became of one whose answer was lost."""

from __future__ import annotations

import asyncio

from api import errors
from client.backoff import Backoff
from client.rest import Client, Unreachable
from daemon.log import logger
from scheduler.framework import Bind
from scheduler.objects import Pod
from scheduler.podinfo import PodInfo

log = logger(__name__)

_TRIES = 6


class DefaultBinder(Bind):
    """Writes `pods/binding`. An unanswered write is tried again: it may have worked, and then says Conflict."""

    name = "DefaultBinder"

    def __init__(self, client: Client) -> None:
        self._client = client

    async def bind(self, pod: PodInfo, node: str) -> bool:
        backoff = Backoff(0.1, 3.0)
        for left in range(_TRIES - 1, -1, -1):
            try:
                await self._client.bind(pod.namespace, pod.name, pod.uid, node)
                return True
            except errors.Conflict:
                if await self._is_bound(pod, node):
                    return True
                raise
            except (errors.InternalError, errors.ServerTimeout, errors.ServiceUnavailable, errors.Timeout, Unreachable):
                if not left:
                    raise
            await asyncio.sleep(backoff.next())
        raise AssertionError("unreachable: the last round returns or raises")

    async def _is_bound(self, pod: PodInfo, node: str) -> bool:
        """Whether the pod is where we wanted it: then an earlier try of ours worked without our knowing."""
        found = await self._client.get(Pod, pod.name, pod.namespace)
        same = found.metadata is not None and found.metadata.uid == pod.uid
        return same and found.spec is not None and found.spec.nodeName == node
