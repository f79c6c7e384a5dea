"""`/exec/…` and `/attach/…`: a client's streams joined with those of a command in a container, or of the container."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from client.streams import channels
from client.streams.channels import Channel
from daemon.aio import web
from daemon.log import logger
from kubelet.pods import Pods
from kubelet.runtime.container import Container
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError
from kubelet.runtime.hijack import STDERR, Hijacked
from kubelet.server.find import Options, Refused, container_of, pod_of, read_options
from kubelet.server.remote import Remote, SpdyRemote, WebSocketRemote

log = logger(__name__)

Resize = Callable[[int, int], Awaitable[None]]
Opened = tuple[Hijacked, Resize, Callable[[], Awaitable[dict[str, Any]]]]
"""The streams, how to resize their terminal, and how to learn how it ended."""
_ENDS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 1.0, 1.0)
"""Pauses between questions for an exit code, once the output has ended."""
_PATHS = ("/{namespace}/{pod}/{container}", "/{namespace}/{pod}/{uid}/{container}")


class Executions:
    """Serves both."""

    def __init__(self, pods: Pods, engine: Engine, idle: float) -> None:
        """`idle` is for how many seconds a connection may carry nothing."""
        self._pods, self._engine, self._idle = pods, engine, idle

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.route(method, f"/{verb}{path}", handler)
            for verb, handler in (("exec", self.exec), ("attach", self.attach))
            for path in _PATHS
            for method in ("GET", "POST")
        ]

    async def exec(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._open_exec)

    async def attach(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._open_attach)

    async def _serve(
        self, request: web.Request, opens: Callable[[Container, Options], Awaitable[Opened]]
    ) -> web.StreamResponse:
        try:
            options = read_options(request)
            container = container_of(pod_of(self._pods, request), request.match_info["container"])
            remote, response = await accept(request, options, self._idle)
        except Refused as refused:
            return refused.answer()
        except ConnectionError as error:
            log.debug("a client went before its stream began", why=str(error))
            return web.Response()
        try:
            await self._run(remote, container, options, opens)
        except ConnectionError as error:
            log.debug("a client went in the middle of a stream", why=str(error))
        finally:
            await remote.close()
        return response

    async def _run(
        self,
        remote: Remote,
        container: Container,
        options: Options,
        opens: Callable[[Container, Options], Awaitable[Opened]],
    ) -> None:
        try:
            streams, resize, ended = await opens(container, options)
        except EngineError as error:
            await remote.finish(channels.internal_error(f"error executing command in container: {error}"))
            return
        tty = options.tty
        try:
            if not await carry(remote, streams, options, resize, tty=tty):
                return
        finally:
            streams.close()
        await remote.finish(await ended())

    async def _open_exec(self, container: Container, options: Options) -> Opened:
        exec_id = await self._engine.exec_create(
            container.id, list(options.command), stdin=options.stdin, tty=options.tty
        )
        streams = await self._engine.exec_start(exec_id, tty=options.tty)

        async def resize(width: int, height: int) -> None:
            await self._engine.exec_resize(exec_id, width, height)

        return streams, resize, lambda: self._exec_status(exec_id)

    async def _exec_status(self, exec_id: str) -> dict[str, Any]:
        """How the command ended. Docker may close its output a moment before it knows."""
        try:
            for pause in _ENDS:
                await asyncio.sleep(pause)
                state = await self._engine.exec_inspect(exec_id)
                if not state.get("Running") and state.get("ExitCode") is not None:
                    return channels.exit_status(int(state["ExitCode"]))
        except EngineError as error:
            return channels.internal_error(f"error executing command in container: {error}")
        return channels.internal_error("error executing command in container: its end is not known")

    async def _open_attach(self, container: Container, options: Options) -> Opened:
        streams = await self._engine.attach(container.id, stdin=options.stdin)

        async def resize(width: int, height: int) -> None:
            await self._engine.resize(container.id, width, height)

        async def ended() -> dict[str, Any]:
            return channels.exit_status(0)

        return streams, resize, ended


async def accept(request: web.Request, options: Options, idle: float) -> tuple[Remote, web.StreamResponse]:
    """Change over to the protocol that the client asks for. Raises Refused."""
    if request.headers.get("Upgrade", "").lower() == "websocket":
        first = Channel.STDOUT if options.stdout else Channel.STDERR if options.stderr else Channel.ERROR
        remote = await WebSocketRemote.accept(request, first)
        return remote, remote.socket
    spoken = await SpdyRemote.accept(request, options, idle)
    return spoken, web.Response()  # nobody is there to see it: the connection has been taken over


async def carry(remote: Remote, streams: Hijacked, options: Options, resize: Resize, *, tty: bool) -> bool:
    """Bytes both ways; whether the output came to its end. False: the client went."""
    down = asyncio.create_task(_output(remote, streams, options, tty=tty), name="stream: output")
    up = asyncio.create_task(_input(remote, streams, options, resize), name="stream: input")
    try:
        await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
        if not down.done():
            return False
        down.result()
        return True
    finally:
        for task in (down, up):
            task.cancel()
        await asyncio.gather(down, up, return_exceptions=True)


async def _output(remote: Remote, streams: Hijacked, options: Options, *, tty: bool) -> None:
    try:
        async for stream, data in streams.output(tty=tty):
            is_error = stream == STDERR
            if options.stderr if is_error else options.stdout:
                await remote.send(Channel.STDERR if is_error else Channel.STDOUT, data)
    except ConnectionResetError as error:
        log.debug("Docker closed a stream", why=str(error))


async def _input(remote: Remote, streams: Hijacked, options: Options, resize: Resize) -> None:
    """Returns when the client has gone."""
    writable = options.stdin
    async for channel, data in remote.inputs():
        if channel == Channel.RESIZE:
            await _resize(data, resize)
        elif channel == Channel.STDIN and writable and data:
            try:
                await streams.write(data)
            except OSError:
                writable = False  # the command reads no more; it may still have much to say
        elif channel == Channel.CLOSE and data[:1] == bytes((Channel.STDIN,)) and writable:
            writable = False
            streams.end_input()


async def _resize(data: bytes, resize: Resize) -> None:
    size = channels.read_resize(data)
    if size is None:
        return
    try:
        await resize(*size)
    except EngineError as error:
        log.debug("a terminal was not resized", why=str(error))
