"""What carries SPDY to a client of the HTTPS port: its bare connection once it has been upgraded, or WebSocket
messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from client.streams.channels import PROTOCOL_HEADER, TUNNEL
from client.streams.multiplex import Carrier, Connection
from client.streams.spdy import SpdyError
from daemon.aio import aiohttp, web
from daemon.log import logger
from kubelet.server.find import Refused
from kubelet.server.idle import Idle, first_of

log = logger(__name__)

SPDY = "spdy/3.1"
READ = 64 * 1024
MAX_MESSAGE = 32 * 1024 * 1024
LINGER = 5.0
"""Seconds for a client to hang up after it has been told that all is done: whatever it still sends meanwhile must be
read, or the connection's reset would overtake our last words."""


class SpdyCarrier(Carrier, Protocol):
    """One that can be hung up."""

    async def close(self) -> None: ...


class Session:
    """A client's SPDY connection, read by a task of its own until it ends, or is idle for too long."""

    def __init__(self, carrier: SpdyCarrier, idle: Idle) -> None:
        self.connection = Connection(carrier, server=True)
        self.connection.on_traffic = idle.touch
        self._carrier = carrier
        self._idle = idle
        self._task = asyncio.create_task(self._run(), name="stream: SPDY")

    async def _run(self) -> None:
        await first_of(asyncio.create_task(self._read(), name="stream: SPDY frames"), idle=self._idle)

    async def _read(self) -> None:
        try:
            await self.connection.run()
        except (SpdyError, ConnectionError) as error:
            log.debug("a client's connection broke", why=str(error))

    async def ended(self) -> None:
        """Wait until the client has gone."""
        await asyncio.wait((self._task,))

    async def hang_up(self) -> None:
        """Let the client hang up first, for a while; then do it."""
        await asyncio.wait((self._task,), timeout=LINGER)
        await self.close()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._carrier.close()


def agreed(request: web.Request, ours: Iterable[str]) -> str:
    """The first of the client's stream protocols that is ours; the oldest, "", if it names none. Raises Refused."""
    named = [name.strip() for text in request.headers.getall(PROTOCOL_HEADER, []) for name in text.split(",")]
    ours = tuple(ours)
    for name in named:
        if name in ours:
            return name
    if named:
        why = f"unable to negotiate protocol: client supports {named}, server accepts {list(ours)}"
        raise Refused(403, f"unable to upgrade: {why}")
    return ""


class Bare:
    """The connection itself. Nothing of aiohttp's sees it any more."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, own: _Handed) -> None:
        self._reader, self._writer, self._own = reader, writer, own

    @classmethod
    def take(cls, request: web.Request, protocol: str) -> Bare:
        """Agree to SPDY, and take the connection over. Raises Refused."""
        transport, server = request.transport, request.protocol
        if request.headers.get("Upgrade", "").lower() != SPDY:
            raise Refused(400, "unable to upgrade: missing upgrade headers in request")
        if transport is None:
            raise Refused(400, "the client has gone")
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(READ, loop)
        own = _Handed(reader, server)
        lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: SPDY/3.1"]
        lines += [f"{PROTOCOL_HEADER}: {protocol}"] if protocol else []
        transport.set_protocol(own)
        own.connection_made(transport)
        transport.write("\r\n".join([*lines, "", ""]).encode())
        return cls(reader, asyncio.StreamWriter(transport, own, reader, loop), own)

    async def read(self) -> bytes:
        return await self._reader.read(READ)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Hang up, and wait until it is done."""
        self._writer.close()
        await self._own.ended.wait()


class _Handed(asyncio.StreamReaderProtocol):
    """Tells aiohttp when the connection that was taken from it has ended."""

    def __init__(self, reader: asyncio.StreamReader, server: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self._server = server
        self.ended = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._server.connection_lost(exc)
        self.ended.set()


class Tunnel:
    """Binary messages of a WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket

    @classmethod
    async def accept(cls, request: web.Request) -> Tunnel:
        socket = web.WebSocketResponse(protocols=(TUNNEL,), compress=False, max_msg_size=MAX_MESSAGE, timeout=LINGER)
        await socket.prepare(request)
        return cls(socket)

    async def read(self) -> bytes:
        while True:
            message = await self.socket.receive()
            if message.type == aiohttp.WSMsgType.BINARY:
                if message.data:
                    return bytes(message.data)
            elif message.type != aiohttp.WSMsgType.TEXT:
                return b""

    async def write(self, data: bytes) -> None:
        await self.socket.send_bytes(data)

    async def close(self) -> None:
        await self.socket.close()
