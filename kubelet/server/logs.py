"""`/containerLogs/{namespace}/{pod}/{container}`: what a container wrote, or in Kubernetes' words why there is
nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from api.metadata import parse_time
from api.types import core_v1
from daemon.aio import web
from kubelet.logs.entries import Sieve
from kubelet.logs.files import LogReader, log_path
from kubelet.logs.follow import Followers, copy, follow
from kubelet.logs.query import BadQuery, LogQuery, read_query
from kubelet.pods import Pods
from kubelet.runtime.container import Container, State
from kubelet.worker.worker import PodWorker


class Logs:
    def __init__(self, pods: Pods, followers: Followers) -> None:
        self._pods, self._followers = pods, followers
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
        try:
            reader = self._open(found, query)
        except OSError as error:
            return web.Response(status=500, text=f"failed to open log file: {error}")
        response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        self.open_streams += 1
        try:
            await response.prepare(request)
            async with aclosing(self._read(reader, found, query)) as pieces:
                async for piece in pieces:
                    await response.write(piece)
            await response.write_eof()
        except ConnectionError:
            pass  # the client has what it wanted
        finally:
            self.open_streams -= 1
            reader.close()
        return response

    def _records(self, worker: PodWorker, name: str) -> list[Container]:
        """The attempts of a container that have run, oldest first."""
        all_of = worker.containers()
        return [each for each in all_of if each.name == name and not each.is_sandbox and each.state > State.CREATED]

    def _open(self, container: Container, query: LogQuery) -> LogReader:
        since = parse_time(query.since).timestamp() if query.since else 0.0
        return LogReader(log_path(self._pods.node.ground.engine_root, container.id), query.tail, since)

    def _read(self, reader: LogReader, container: Container, query: LogQuery) -> AsyncGenerator[bytes, None]:
        sieve = Sieve(query)
        if not query.follow:
            return copy(reader, sieve)
        inventory = self._pods.node.inventory

        def running() -> bool:
            known = inventory.get(container.id)
            return known is not None and known.state is State.RUNNING

        folder = log_path(self._pods.node.ground.engine_root, container.id).parent
        return follow(reader, sieve, folder, self._followers, container.pod_uid, running)


def _choose(worker: PodWorker, attempts: list[Container], name: str, previous: bool) -> Container | web.Response:
    """The container whose output is wanted, or the answer that says why there is none."""
    spec, metadata = worker.pod.spec, worker.pod.metadata
    assert spec is not None
    assert metadata is not None
    pod = metadata.name
    specs = (*spec.containers, *(spec.initContainers or ()), *(spec.ephemeralContainers or ()))
    if not any(each.name == name for each in specs):
        return web.Response(status=404, text=f'container "{name}" not found in pod "{pod}"\n')
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
    status = worker.status or core_v1.PodStatus()
    lists = (status.containerStatuses, status.initContainerStatuses, status.ephemeralContainerStatuses)
    for each in (each for listed in lists for each in listed or ()):
        if each.name == name and each.state is not None and each.state.waiting is not None:
            return each.state.waiting.reason or ""
    return ""


def _waits(worker: PodWorker, name: str) -> bool:
    return bool(_waiting_reason(worker, name))
