"""Local ports that lead into a pod: one WebSocket, in it SPDY, in it two streams for each connection."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence

from client.streams import channels
from client.streams.multiplex import Connection, Stream
from client.streams.spdy import SpdyError
from daemon.aio import aiohttp
from kubectl.errors import CliError, Unreachable
from kubectl.session import Session
from kubectl.streams.ports import Pair
from kubectl.streams.socket import opened

_PIECE = 64 * 1024
Say = Callable[[str], None]


class _Messages:
    """The bytes of a connection in binary messages."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def read(self) -> bytes:
        message = await self._socket.receive()
        return message.data if message.type == aiohttp.WSMsgType.BINARY else b""

    async def write(self, data: bytes) -> None:
        try:
            await self._socket.send_bytes(data)
        except (aiohttp.ClientError, RuntimeError) as problem:
            raise ConnectionError(str(problem)) from problem


class Forwarder:
    """`run` it until it is cancelled, or the pod has gone. `say` is told of each port and connection."""

    def __init__(self, session: Session, path: str, pairs: Sequence[Pair], addresses: Sequence[str], say: Say) -> None:
        self._session, self._path, self._pairs, self._addresses = session, path, pairs, addresses
        self._say, self._complain = say, session.terminal.complain
        self._requests = itertools.count()

    async def run(self) -> None:
        """Raises CliError, StatusError, Unreachable."""
        async with opened(self._session, self._path, [], (channels.TUNNEL,)) as socket:
            if socket.protocol != channels.TUNNEL:
                raise CliError("the server does not forward ports over WebSockets")
            self._spdy = Connection(_Messages(socket), server=False)
            running = asyncio.create_task(self._spdy.run())
            servers = await self._listen()
            try:
                await running
            except (SpdyError, ConnectionError) as problem:
                raise Unreachable(f"error: lost connection to pod: {problem}") from problem
            finally:
                running.cancel()
                for server in servers:
                    server.close()
        raise Unreachable("error: lost connection to pod")

    async def _listen(self) -> list[asyncio.Server]:
        servers: list[asyncio.Server] = []
        for pair in self._pairs:
            local, before, problem = pair.local, len(servers), ""
            for address in self._addresses:
                try:
                    server = await asyncio.start_server(self._serve(pair.remote), address, local)
                except OSError as error:
                    problem = f"unable to listen on port {local}: {error.strerror}"
                    continue
                # Any free port at the first address is the port at the others.
                local = server.sockets[0].getsockname()[1]
                servers.append(server)
                shown = f"[{address}]" if ":" in address else address
                self._say(f"Forwarding from {shown}:{local} -> {pair.remote}")
            if len(servers) == before:
                for server in servers:
                    server.close()
                raise CliError(f"{problem}\nUnable to listen on any of the requested ports")
        return servers

    def _serve(self, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], asyncio.Future[None]]:
        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> asyncio.Future[None]:
            return asyncio.ensure_future(self._connect(port, reader, writer))

        return serve

    async def _connect(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        local = writer.get_extra_info("sockname")[1]
        self._say(f"Handling connection for {local}")
        headers = {"port": str(port), "requestID": str(next(self._requests))}
        try:
            failure = await self._spdy.open({**headers, "streamType": "error"})
            await failure.close()
            data = await self._spdy.open({**headers, "streamType": "data"})
            failing = asyncio.create_task(_everything(failure))
            outward = asyncio.create_task(_outward(reader, data))
            try:
                await _inward(data, writer)
                why = await failing
            finally:
                outward.cancel()
                failing.cancel()
                await asyncio.gather(outward, failing, return_exceptions=True)
                await data.reset()
            if why:
                self._complain(f"error: an error occurred forwarding {local} -> {port}: {why.decode(errors='replace')}")
        except ConnectionError as problem:
            self._complain(f"error: an error occurred forwarding {local} -> {port}: {problem}")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def _everything(stream: Stream) -> bytes:
    found = b""
    while piece := await stream.read():
        found += piece
    return found


async def _outward(reader: asyncio.StreamReader, stream: Stream) -> None:
    try:
        while piece := await reader.read(_PIECE):
            await stream.write(piece)
    finally:
        await stream.close()


async def _inward(stream: Stream, writer: asyncio.StreamWriter) -> None:
    while piece := await stream.read():
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
