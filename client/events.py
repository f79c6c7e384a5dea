"""Events: what a daemon tells the users about an object, shown by `kubectl describe`.

An Event is a courtesy: recording one never blocks, never fails its caller, and never slows down the real work. They
are written one after the other in the background, at a bounded rate; one that repeats is counted up in place; an object
that is complained about without end is muted for a while; under a flood the oldest unwritten ones are dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from api import errors
from api.metadata import now, rfc3339
from api.types import core_v1, meta_v1
from client.backoff import Backoff
from client.codec import Unreadable
from client.resources import KubeObject, resource_of
from client.rest import Client, Unreachable
from daemon.log import logger

log = logger(__name__)

_QUEUED = 4_000
_REMEMBERED = 4_000
_REPEAT_WINDOW = 3600.0
_SPAM_BURST, _SPAM_REFILL = 25, 1 / 300
_MESSAGE_LIMIT = 1024

Type = Literal["Normal", "Warning"]
Identity = tuple[str, str, str, str, str]
"""(uid or key of the object, field path, type, reason, series or message): events that are equal in this are one,
repeated."""


@dataclass
class _Written:
    """An event that is in the API server."""

    namespace: str
    name: str
    count: int
    at: float


@dataclass
class _Bucket:
    """How much more one object may be talked about."""

    tokens: float = _SPAM_BURST
    at: float = field(default_factory=time.monotonic)

    def take(self, at: float) -> bool:
        self.tokens = min(_SPAM_BURST, self.tokens + (at - self.at) * _SPAM_REFILL)
        self.at = at
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(frozen=True)
class _Said:
    about: core_v1.ObjectReference
    type: Type
    reason: str
    message: str
    at: datetime
    series: str = ""

    @property
    def identity(self) -> Identity:
        about = self.about
        who = about.uid or f"{about.kind}/{about.namespace}/{about.name}"
        return who, about.fieldPath or "", self.type, self.reason, self.series or self.message


class EventRecorder:
    """`rate` and `burst` bound the writes a second."""

    def __init__(self, client: Client, component: str, host: str = "", *, rate: float = 50, burst: int = 100) -> None:
        self._client, self._component, self._host = client, component, host
        self._rate, self._burst = rate, burst
        self._queue: deque[_Said] = deque(maxlen=_QUEUED)
        self._wake, self._idle = asyncio.Event(), asyncio.Event()
        self._backoff = Backoff(0.2, 10.0)
        self._written: OrderedDict[Identity, _Written] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def event(
        self, obj: KubeObject | core_v1.ObjectReference, type: Type, reason: str, message: str, *, series: str = ""
    ) -> None:
        """Say something about an object (or a part of one, by a reference with a fieldPath).

        An event of a series takes the place of the last one of it, so that its message moves on. Who says it paces
        it: it doesn't count against what may be said about the object.
        """
        about = obj if isinstance(obj, core_v1.ObjectReference) else reference(obj)
        self._queue.append(_Said(about, type, reason, message[:_MESSAGE_LIMIT], now(), series))
        self._idle.clear()
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write_all(), name="events")

    async def close(self, timeout: float = 2.0) -> None:
        """Write what is queued, for at most `timeout` seconds."""
        if self._task is None:
            return
        self._rate = 1e9
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _write_all(self) -> None:
        tokens, at = float(self._burst), time.monotonic()
        while True:
            while not self._queue:
                self._wake.clear()
                self._idle.set()
                await self._wake.wait()
            moment = time.monotonic()
            tokens, at = min(float(self._burst), tokens + (moment - at) * self._rate), moment
            if tokens < 1:
                await asyncio.sleep((1 - tokens) / self._rate)
                continue
            tokens -= 1
            said = self._queue[0]
            try:
                await self._write(said)
                self._backoff.reset()
            except Unreachable:
                await asyncio.sleep(self._backoff.next())
                continue
            except (errors.StatusError, Unreadable) as error:
                log.debug("an event was lost", reason=str(error), event=said.reason, about=said.about.name)
            except Exception:
                log.exception("an event was lost", event=said.reason, about=said.about.name)
            if self._queue and self._queue[0] is said:
                self._queue.popleft()

    async def _write(self, said: _Said) -> None:
        moment = time.monotonic()
        written = self._written.get(said.identity)
        if written is None or moment - written.at > _REPEAT_WINDOW:
            if self._allowed(said, moment):
                await self._create(said, moment)
            return
        if not self._allowed(said, moment):
            return
        patch = {"count": written.count + 1, "lastTimestamp": rfc3339(said.at)}
        if said.series:
            patch["message"] = said.message
        try:
            await self._client.patch(core_v1.Event, written.name, patch, written.namespace)
        except errors.NotFound:
            await self._create(said, moment)
            return
        written.count, written.at = written.count + 1, moment

    def _allowed(self, said: _Said, moment: float) -> bool:
        if said.series:
            return True
        who = said.identity[0]
        bucket = self._buckets.setdefault(who, _Bucket())
        self._buckets.move_to_end(who)
        while len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket.take(moment)

    async def _create(self, said: _Said, moment: float) -> None:
        namespace = said.about.namespace or "default"
        name = f"{said.about.name}.{time.time_ns():x}"
        at = said.at.replace(microsecond=0)
        event = core_v1.Event(
            metadata=meta_v1.ObjectMeta(name=name, namespace=namespace),
            involvedObject=said.about,
            type=said.type,
            reason=said.reason,
            message=said.message,
            source=core_v1.EventSource(component=self._component, host=self._host or None),
            reportingComponent=self._component,
            reportingInstance=self._host,
            firstTimestamp=at,
            lastTimestamp=at,
            count=1,
        )
        await self._client.create(event)
        self._written[said.identity] = _Written(namespace, name, 1, moment)
        self._written.move_to_end(said.identity)
        while len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)


def reference(obj: KubeObject, field_path: str | None = None) -> core_v1.ObjectReference:
    """What an Event's `involvedObject` says of an object."""
    resource = resource_of(type(obj))
    metadata = obj.metadata or meta_v1.ObjectMeta()
    return core_v1.ObjectReference(
        apiVersion=resource.api_version,
        kind=resource.kind,
        name=metadata.name,
        namespace=metadata.namespace,
        uid=metadata.uid,
        resourceVersion=metadata.resourceVersion,
        fieldPath=field_path,
    )
