"""`/exec/…` and `/attach/…`: a client's streams joined with those of a command in a container, or of the container."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from client.streams import channels
from client.streams.channels import Channel
from daemon.aio import web
from daemon.log import logger
from kubelet.pods import Pods
from kubelet.probes.command import exit_code
from kubelet.runtime.container import Container
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError
from kubelet.runtime.hijack import STDERR, Hijacked
from kubelet.server.find import Options, Refused, closes_stdin, container_of, has_terminal, pod_of, read_options
from kubelet.server.idle import Idle, first_of
from kubelet.server.remote import Remote, SpdyRemote, WebSocketRemote
from kubelet.worker.worker import PodWorker

log = logger(__name__)

Resize = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Opened:
    """Docker's side of a stream. With a terminal all output is one; `ended` tells the Status of the end."""

    streams: Hijacked
    tty: bool
    resize: Resize
    ended: Callable[[], Awaitable[dict[str, Any]]]
    closes: bool = True
    """Whether the end of the client's input is one for the process, too. Docker takes the end of an attached input for
    that of the output as well, unless the container closes its own after the first client (`stdinOnce`)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request is about."""

    worker: PodWorker
    container: Container
    options: Options


Opens = Callable[[Wanted], Awaitable[Opened]]
_PATHS = ("/{namespace}/{pod}/{container}", "/{namespace}/{pod}/{uid}/{container}")


class Executions:
    """Serves both."""

    def __init__(self, pods: Pods, engine: Engine, idle: float) -> None:
        """`idle` is for how many seconds a connection may carry nothing."""
        self._pods, self._engine, self._idle = pods, engine, idle

    def routes(self) -> list[web.AbstractRouteDef]:
        streams = [
            web.route(method, f"/{verb}{path}", handler)
            for verb, handler in (("exec", self.exec), ("attach", self.attach))
            for path in _PATHS
            for method in ("GET", "POST")
        ]
        return [*streams, *(web.post(f"/run{path}", self.run) for path in _PATHS)]

    async def exec(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._open_exec)

    async def attach(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._open_attach)

    async def run(self, request: web.Request) -> web.StreamResponse:
        """A command's output and nothing else, without a change of protocol."""
        try:
            worker = pod_of(self._pods, request)
            container = container_of(worker, request.match_info["container"])
            command = tuple(request.query.get("cmd", "").split(" "))
            opened = await self._open_exec(Wanted(worker, container, Options(command=command)))
        except Refused as refused:
            return refused.answer()
        except EngineError as error:
            return web.Response(status=500, text=f"{error}\n")
        answer = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        try:
            await answer.prepare(request)
            async for _, data in opened.streams.output(tty=False):
                await answer.write(data)
        finally:
            opened.streams.close()
        return answer

    async def _serve(self, request: web.Request, opens: Opens) -> web.StreamResponse:
        idle = Idle(self._idle)
        try:
            worker = pod_of(self._pods, request)
            wanted = Wanted(worker, container_of(worker, request.match_info["container"]), read_options(request))
            remote, response = await accept(request, wanted.options, idle)
        except Refused as refused:
            return refused.answer()
        except ConnectionError as error:
            log.debug("a client went before its stream began", why=str(error))
            return web.Response()
        try:
            await _carry(remote, wanted, opens, idle)
        except ConnectionError as error:
            log.debug("a client went in the middle of a stream", why=str(error))
        finally:
            await remote.close()
        return response

    async def _open_exec(self, wanted: Wanted) -> Opened:
        options = wanted.options
        exec_id = await self._engine.exec_create(
            wanted.container.id, list(options.command), stdin=options.stdin, tty=options.tty
        )
        streams = await self._engine.exec_start(exec_id, tty=options.tty)

        async def resize(width: int, height: int) -> None:
            await self._engine.exec_resize(exec_id, width, height)

        return Opened(streams, options.tty, resize, lambda: self._exec_status(exec_id))

    async def _exec_status(self, exec_id: str) -> dict[str, Any]:
        try:
            return channels.exit_status(await exit_code(self._engine, exec_id))
        except EngineError as error:
            return channels.internal_error(f"error executing command in container: {error}")

    async def _open_attach(self, wanted: Wanted) -> Opened:
        container_id = wanted.container.id
        streams = await self._engine.attach(container_id, stdin=wanted.options.stdin)

        async def resize(width: int, height: int) -> None:
            await self._engine.resize(container_id, width, height)

        async def ended() -> dict[str, Any]:
            return channels.exit_status(0)

        # Whatever the client takes it for: how Docker frames the output follows from what the container has.
        name = wanted.container.name
        return Opened(streams, has_terminal(wanted.worker, name), resize, ended, closes_stdin(wanted.worker, name))


async def _carry(remote: Remote, wanted: Wanted, opens: Opens, idle: Idle) -> None:
    """From the beginning of the command to its end, or the client's. Raises ConnectionError."""
    try:
        opened = await opens(wanted)
    except EngineError as error:
        await remote.finish(channels.internal_error(f"error executing command in container: {error}"))
        return
    try:
        came_to_its_end = await carry(remote, opened, wanted.options, idle)
    finally:
        opened.streams.close()
    if came_to_its_end:
        await remote.finish(await opened.ended())


async def accept(request: web.Request, options: Options, idle: Idle) -> tuple[Remote, web.StreamResponse]:
    """Change over to the protocol that the client asks for. Raises Refused."""
    if request.headers.get("Upgrade", "").lower() == "websocket":
        first = Channel.STDOUT if options.stdout else Channel.STDERR if options.stderr else Channel.ERROR
        remote = await WebSocketRemote.accept(request, first)
        return remote, remote.socket
    spoken = await SpdyRemote.accept(request, options, idle)
    return spoken, web.Response()  # nobody is there to see it: the connection has been taken over


async def carry(remote: Remote, opened: Opened, options: Options, idle: Idle) -> bool:
    """Bytes both ways; whether the output came to its end. Not so when the client goes, or nothing more comes."""
    down = asyncio.create_task(_output(remote, opened, options, idle), name="stream: output")
    up = asyncio.create_task(_input(remote, opened, options, idle), name="stream: input")
    await first_of(down, up, idle=idle)
    if down.cancelled():
        return False
    down.result()
    return True


async def _output(remote: Remote, opened: Opened, options: Options, idle: Idle) -> None:
    """Raises ConnectionError when the client has gone."""
    async for stream, data in opened.streams.output(tty=opened.tty):
        idle.touch()
        is_error = stream == STDERR
        if options.stderr if is_error else options.stdout:
            await remote.send(Channel.STDERR if is_error else Channel.STDOUT, data)


async def _input(remote: Remote, opened: Opened, options: Options, idle: Idle) -> None:
    """Returns when the client has gone."""
    writable = options.stdin
    async for channel, data in remote.inputs():
        idle.touch()
        if channel == Channel.RESIZE:
            await _resize(data, opened.resize)
        elif channel == Channel.STDIN and writable and data:
            try:
                await opened.streams.write(data)
            except OSError:
                writable = False  # the command reads no more; it may still have much to say
        elif channel == Channel.CLOSE and data[:1] == bytes((Channel.STDIN,)) and writable:
            writable = False
            if opened.closes:
                opened.streams.end_input()


async def _resize(data: bytes, resize: Resize) -> None:
    size = channels.read_resize(data)
    if size is None:
        return
    try:
        await resize(*size)
    except EngineError as error:
        log.debug("a terminal was not resized", why=str(error))
