"""What the scheduler says of a pod: the `PodScheduled` condition and the events that `kubectl describe` shows.

Both are written in the background. A condition is written only when it says something new, and of several that wait for
one pod only the last; so a thousand pods that fit nowhere cost a write each, not one a try.
"""

from __future__ import annotations

import asyncio

from api import errors
from api.metadata import now, rfc3339
from api.types import core_v1
from client.backoff import Backoff
from client.codec import Unreadable
from client.events import EventRecorder
from client.rest import Client, PatchType, Unreachable
from daemon.log import logger
from scheduler.objects import Pod
from scheduler.podinfo import PodInfo

log = logger(__name__)

_TRIES = 5


class Reporter:
    """`run()` writes the conditions."""

    def __init__(self, client: Client, events: EventRecorder) -> None:
        self._client, self._events = client, events
        self._waiting: dict[str, tuple[PodInfo, str]] = {}
        self._wake = asyncio.Event()

    def bound(self, info: PodInfo, node: str) -> None:
        self._waiting.pop(info.uid, None)
        self._events.event(info.pod, "Normal", "Scheduled", f"Successfully assigned {info.key} to {node}")

    def unschedulable(self, info: PodInfo, message: str) -> None:
        self._events.event(info.pod, "Warning", "FailedScheduling", message)
        if not _says(info.pod, message):
            self._waiting[info.uid] = (info, message)
            self._wake.set()

    def failed(self, info: PodInfo, message: str) -> None:
        """It was not the cluster's fault, nor the pod's: say so, and nothing in its status."""
        self._events.event(info.pod, "Warning", "FailedScheduling", message)

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                _, (info, message) = self._waiting.popitem()
                await self._write(info, message)

    async def _write(self, info: PodInfo, message: str) -> None:
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastProbeTime": None,
            "lastTransitionTime": _since(info.pod) or rfc3339(now()),
        }
        patch = {"metadata": {"uid": info.uid}, "status": {"conditions": [condition]}}
        backoff = Backoff(0.1, 2.0)
        for _ in range(_TRIES):
            try:
                await self._client.patch(Pod, info.name, patch, info.namespace, "status", kind=PatchType.STRATEGIC)
                return
            except errors.NotFound:
                return  # it is gone
            except (errors.StatusError, Unreachable, Unreadable) as error:
                if isinstance(error, errors.Conflict | errors.Invalid):
                    log.debug("a condition was not taken", pod=info.key, reason=str(error))
                    return
                await asyncio.sleep(backoff.next())
        log.warning("a condition could not be written", pod=info.key)


def _condition(pod: Pod) -> core_v1.PodCondition | None:
    conditions = (pod.status.conditions if pod.status is not None else None) or ()
    return next((each for each in conditions if each.type == "PodScheduled"), None)


def _says(pod: Pod, message: str) -> bool:
    known = _condition(pod)
    return known is not None and known.status == "False" and known.message == message


def _since(pod: Pod) -> str | None:
    """When the condition became False: a new message is no transition."""
    known = _condition(pod)
    if known is None or known.status != "False" or known.lastTransitionTime is None:
        return None
    return rfc3339(known.lastTransitionTime)
