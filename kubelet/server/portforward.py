"""`/portForward/…`: connections to ports of a pod's own localhost, many at once over one connection of the client's.

For each of them a client opens two streams of SPDY with the same `requestID`: one for the data, one on which it reads
why it failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any

from client.streams.channels import FORWARD, TUNNEL
from client.streams.multiplex import Stream, StreamReset
from client.streams.spdy import Reason
from daemon.aio import web
from daemon.log import logger
from kubelet.network import dial
from kubelet.pods import Pods
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError
from kubelet.server import portchannels
from kubelet.server.carriers import Bare, Session, Tunnel, agreed
from kubelet.server.find import Refused, pod_of, sandbox_of
from kubelet.server.idle import Idle
from kubelet.server.place import READ, Place
from kubelet.worker.worker import PodWorker

log = logger(__name__)

WAITING = 1024
"""Streams of one client that may wait for their other half."""
_PATHS = ("/portForward/{namespace}/{pod}", "/portForward/{namespace}/{pod}/{uid}")


class Forwarding:
    def __init__(self, pods: Pods, engine: Engine, idle: float) -> None:
        """`idle` is for how many seconds a connection may carry nothing."""
        self._pods, self._engine, self._idle = pods, engine, idle

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.route(method, path, self.serve) for path in _PATHS for method in ("GET", "POST")]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        try:
            place = await self._place(pod_of(self._pods, request))
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._websocket(request, place)
            protocol = agreed(request, (FORWARD,))
            await self._forward(Session(Bare.take(request, protocol or FORWARD), Idle(self._idle)), place)
        except Refused as refused:
            return refused.answer()
        return web.Response()  # nobody is there to see it: the connection has been taken over

    async def _websocket(self, request: web.Request, place: Place) -> web.StreamResponse:
        if TUNNEL in request.headers.get("Sec-WebSocket-Protocol", ""):
            tunnel = await Tunnel.accept(request)
            await self._forward(Session(tunnel, Idle(self._idle)), place)
            return tunnel.socket
        return await portchannels.serve(request, place, Idle(self._idle))

    async def _place(self, worker: PodWorker) -> Place:
        """Raises Refused."""
        sandbox = sandbox_of(worker)
        try:
            pid = int((await self._engine.inspect(sandbox.id))["State"]["Pid"])
        except EngineError as error:
            raise Refused(500, str(error)) from error
        if not pid:
            raise Refused(500, "sandbox container is not running")
        metadata = worker.pod.metadata
        assert metadata is not None
        return Place(dial.of_process(pid), f"{metadata.namespace}/{metadata.name}", worker.uid)

    async def _forward(self, session: Session, place: Place) -> None:
        """Serve the client until it goes."""
        pairs = Pairs(lambda port, data, error: forward(place, port, data, error))
        try:
            async with aclosing(session.connection.arrivals()) as arrivals:
                async for stream in arrivals:
                    if why := pairs.add(stream):
                        log.debug("a stream was refused", why=why)
                        await stream.reset(Reason.REFUSED_STREAM)
                    else:
                        await session.connection.reply(stream)
        except ConnectionError as error:
            log.debug("a client went in the middle of a stream", why=str(error))
        finally:
            await pairs.close()
            await session.close()


class Pairs:
    """Streams that wait for their other half, and the connections that those which have it became."""

    def __init__(self, begin: Callable[[int, Stream, Stream], Coroutine[Any, Any, None]]) -> None:
        """`begin` gets the port, the data stream and the error stream."""
        self._begin = begin
        self._halves: dict[str, dict[str, Stream]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, stream: Stream) -> str:
        """Why the stream cannot be taken, or nothing."""
        kind, port = stream.headers.get("streamtype", ""), stream.headers.get("port", "")
        if kind not in ("data", "error"):
            return f'"streamType" header value is not valid: "{kind}"'
        if not port.isdecimal() or not 0 < int(port) < 65536:
            return f'"port" header value is not valid: "{port}"'
        # The oldest clients number no requests, but open the two streams one after the other.
        name = stream.headers.get("requestid") or f"#{stream.number - (2 if kind == 'data' else 0)}"
        halves = self._halves.setdefault(name, {})
        if kind in halves or len(self._halves) > WAITING:
            return "too many streams wait for their other half" if kind not in halves else f"a second {kind} stream"
        halves[kind] = stream
        if len(halves) == 2:
            del self._halves[name]
            task = asyncio.create_task(self._begin(int(port), halves["data"], halves["error"]), name="port-forward")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return ""

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def forward(place: Place, port: int, data: Stream, error: Stream) -> None:
    """One connection, from its beginning to its end."""
    try:
        reader, writer = await dial.localhost(place.namespace, port)
    except OSError as failure:
        log.info("a port could not be reached", pod=place.pod, port=port, why=str(failure))
        with suppress(ConnectionError):
            await error.write(place.failure(port, failure).encode())
    else:
        try:
            await join(reader, writer, data)
        finally:
            writer.close()
    with suppress(ConnectionError):
        for stream in (data, error):
            await stream.close()
            stream.end("done")  # what the client still sends is for nobody


async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: Stream) -> None:
    """Bytes both ways, until the pod has nothing more to say or the client gives up."""
    up = asyncio.create_task(_up(data, writer), name="port-forward: up")
    down = asyncio.create_task(_down(reader, data), name="port-forward: down")
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        if up.done() and not up.result():
            return
        await down
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


async def _up(data: Stream, writer: asyncio.StreamWriter) -> bool:
    """Whether the client may still want to read: not when it has given the stream up."""
    try:
        while piece := await data.read():
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except StreamReset:
        return False
    except OSError as error:
        log.debug("a pod reads no more from a connection", why=str(error))
    return True


async def _down(reader: asyncio.StreamReader, data: Stream) -> None:
    try:
        while piece := await reader.read(READ):
            await data.write(piece)
    except OSError as error:
        log.debug("a forwarded connection broke", why=str(error))
