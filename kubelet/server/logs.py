"""`/containerLogs/{namespace}/{pod}/{container}`: a container's output as Docker kept it.

Docker's own log API does the reading, so rotation and following are its matter. Reading blocks: each stream has a
thread of its own from a bounded pool, and is closed from outside when the client goes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from api.metadata import parse_time
from daemon.aio import web
from kubelet.pods import Pods
from kubelet.runtime.container import Container, State
from kubelet.runtime.engine import Engine, chunks
from kubelet.runtime.errors import EngineError, NotFound
from kubelet.worker import PodWorker

STREAMS = 64
_BUFFERED = 64


class BadQuery(ValueError):
    """A parameter that makes no sense."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The parameters of a log request. `since` is seconds since the epoch."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: float | None = None
    limit: int | None = None
    stdout: bool = True
    stderr: bool = True


def read_query(query: Mapping[str, str], now: float) -> LogQuery:
    """Raises BadQuery."""
    since = None
    if "sinceSeconds" in query:
        since = now - _number(query, "sinceSeconds", least=1)
    elif "sinceTime" in query:
        try:
            since = parse_time(query["sinceTime"]).timestamp()
        except ValueError as error:
            raise BadQuery(f"sinceTime: {error}") from error
    stream = query.get("stream", "All")
    return LogQuery(
        follow=_true(query, "follow"),
        previous=_true(query, "previous"),
        timestamps=_true(query, "timestamps"),
        tail=_number(query, "tailLines") if "tailLines" in query else None,
        since=since,
        limit=_number(query, "limitBytes", least=1) if "limitBytes" in query else None,
        stdout=stream in ("All", "Stdout"),
        stderr=stream in ("All", "Stderr"),
    )


def _true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("true", "1", "t")


def _number(query: Mapping[str, str], name: str, least: int = 0) -> int:
    text = query[name]
    if not text.isdigit() or int(text) < least:
        raise BadQuery(f"{name}: must be a whole number of at least {least}")
    return int(text)


class Logs:
    def __init__(self, pods: Pods, engine: Engine) -> None:
        self._pods, self._engine = pods, engine
        self._threads = ThreadPoolExecutor(max_workers=STREAMS, thread_name_prefix="logs")
        self.open_streams = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers as Kubernetes' kubelet does: plain text, 404 and 400 with a sentence."""
        info = request.match_info
        try:
            query = read_query(request.query, time.time())
        except BadQuery as error:
            return web.Response(status=400, text=str(error))
        worker = self._pods.find(info["namespace"], info["pod"])
        if worker is None:
            return web.Response(status=404, text=f'pod "{info["pod"]}" does not exist\n')
        found = _choose(worker, self._records(worker, info["container"]), info["container"], query.previous)
        if isinstance(found, web.Response):
            return found
        response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        try:
            await response.prepare(request)
            async with aclosing(self._read(found, query)) as pieces:
                async for piece in pieces:
                    await response.write(piece)
        except NotFound as error:
            await response.write(f"{error}\n".encode())
        except (EngineError, ConnectionError) as error:
            if not isinstance(error, ConnectionError):
                await response.write(f"{error}\n".encode())
        await response.write_eof()
        return response

    def _records(self, worker: PodWorker, name: str) -> list[Container]:
        """The attempts of a container that have run, oldest first."""
        all_of = worker.containers()
        return [each for each in all_of if each.name == name and not each.is_sandbox and each.state > State.CREATED]

    async def _read(self, container: Container, query: LogQuery) -> AsyncGenerator[bytes, None]:
        options: dict[str, Any] = {
            "stdout": query.stdout,
            "stderr": query.stderr,
            "timestamps": query.timestamps,
            "follow": query.follow and container.state is State.RUNNING,
            "tail": "all" if query.tail is None else query.tail,
        }
        if query.since is not None:
            options["since"] = max(query.since, 1.0)
        left = query.limit
        self.open_streams += 1
        try:
            async with aclosing(pump(self._engine, self._threads, container.id, options)) as pieces:
                async for piece in pieces:
                    yield piece if left is None else piece[:left]
                    if left is not None:
                        left -= len(piece)
                        if left <= 0:
                            return
        finally:
            self.open_streams -= 1


def _choose(worker: PodWorker, attempts: list[Container], name: str, previous: bool) -> Container | web.Response:
    """The container whose output is wanted, or the answer that says why there is none."""
    spec, metadata = worker.pod.spec, worker.pod.metadata
    assert spec is not None
    assert metadata is not None
    pod = metadata.name
    if name not in {each.name for each in [*spec.containers, *(spec.initContainers or ())]}:
        return web.Response(status=400, text=f"container {name} is not valid for pod {pod}")
    if previous:
        ended = [each for each in attempts if each.state is State.EXITED]
        # The last one that ended: of a container that waits to be restarted, that is its newest attempt.
        before = ended[:-1] if ended and ended[-1] is attempts[-1] and not _waits(worker, name) else ended
        if before:
            return before[-1]
        return web.Response(status=400, text=f'previous terminated container "{name}" in pod "{pod}" not found')
    if attempts:
        return attempts[-1]
    reason = _waiting_reason(worker, name) or "ContainerCreating"
    spoken = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)
    return web.Response(status=400, text=f'container "{name}" in pod "{pod}" is waiting to start: {spoken}')


def _waiting_reason(worker: PodWorker, name: str) -> str:
    status = worker.status
    for each in [*(status.containerStatuses or ()), *(status.initContainerStatuses or ())] if status else ():
        if each.name == name and each.state is not None and each.state.waiting is not None:
            return each.state.waiting.reason or ""
    return ""


def _waits(worker: PodWorker, name: str) -> bool:
    return bool(_waiting_reason(worker, name))


async def pump(
    engine: Engine, threads: ThreadPoolExecutor, container_id: str, options: Mapping[str, Any]
) -> AsyncGenerator[bytes, None]:
    """Docker's blocking stream as an async one. Its thread waits when the client is slower than the container."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(_BUFFERED)
    stream = await loop.run_in_executor(threads, partial(engine.open_logs, container_id, **options))

    def read() -> None:
        try:
            for piece in chunks(stream):
                asyncio.run_coroutine_threadsafe(queue.put(piece), loop).result()
        finally:
            asyncio.run_coroutine_threadsafe(queue.put(None), loop).result()

    reading = loop.run_in_executor(threads, read)
    try:
        while (piece := await queue.get()) is not None:
            yield piece
        await reading
    finally:
        stream.close()  # wakes the thread from its read
        while not reading.done():
            if queue.empty():
                await asyncio.wait([reading], timeout=0.05)
            else:
                queue.get_nowait()  # what the thread still has to hand over
