"""The client's end of an exec or attach: what it sends comes as (channel, data), whatever the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from client.streams import channels
from client.streams.channels import Channel
from client.streams.multiplex import Connection, Stream
from client.streams.spdy import Reason
from daemon.aio import web
from daemon.log import logger
from kubelet.server.carriers import MAX_MESSAGE, Bare, Session, agreed
from kubelet.server.find import Options
from kubelet.server.idle import Idle
from kubelet.server.messages import unpacked

log = logger(__name__)

STREAMS_TIMEOUT = 30.0
"""Seconds for a client to open its streams."""


class Remote(Protocol):
    """One client. Its methods raise ConnectionError when it has gone."""

    def inputs(self) -> AsyncIterator[tuple[int, bytes]]:
        """What it sends: STDIN and RESIZE with their data, CLOSE with the number of the channel that ends. It ends
        when the client has gone."""

    async def send(self, channel: Channel, data: bytes) -> None:
        """Waits while the client is slower than we are."""

    async def finish(self, status: dict[str, Any]) -> None:
        """Tell how it ended, and hang up."""

    async def close(self) -> None:
        """Hang up, if that is not done."""


class WebSocketRemote:
    """A client that speaks one of the channel protocols over a WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._protocol = channels.Protocol(socket.ws_protocol or "")

    @classmethod
    async def accept(cls, request: web.Request, first: Channel) -> WebSocketRemote:
        """Answer the handshake; `first` is the channel on which the client is told that it is heard."""
        socket = web.WebSocketResponse(
            protocols=channels.WEBSOCKET_PROTOCOLS, compress=False, max_msg_size=MAX_MESSAGE, timeout=10.0
        )
        await socket.prepare(request)
        remote = cls(socket)
        await remote.send(first, b"")
        return remote

    async def inputs(self) -> AsyncIterator[tuple[int, bytes]]:
        async for channel, data in unpacked(self.socket, self._protocol):
            if channel != Channel.CLOSE or self._protocol.closes:
                yield channel, data

    async def send(self, channel: Channel, data: bytes) -> None:
        message = self._protocol.pack(channel, data)
        if isinstance(message, str):
            await self.socket.send_str(message)
        else:
            await self.socket.send_bytes(message)

    async def finish(self, status: dict[str, Any]) -> None:
        if told := channels.error_message(self._protocol, status):
            await self.send(Channel.ERROR, told)
        await self.socket.close()

    async def close(self) -> None:
        await self.socket.close()


class SpdyRemote:
    """A client that opened a stream of SPDY for each channel."""

    def __init__(self, session: Session, protocol: channels.Protocol, streams: Mapping[Channel, Stream]) -> None:
        self._session, self._protocol, self._streams = session, protocol, streams

    @classmethod
    async def accept(cls, request: web.Request, options: Options, idle: Idle) -> SpdyRemote:
        """Agree, and wait for the streams that belong to the options. Raises Refused, ConnectionError."""
        protocol = channels.Protocol(agreed(request, channels.SPDY_PROTOCOLS))
        session = Session(Bare.take(request, protocol.name), idle)
        try:
            async with asyncio.timeout(STREAMS_TIMEOUT):
                streams = await _collect(session.connection, expected(options, protocol))
        except TimeoutError as error:
            await session.close()
            raise ConnectionResetError("the client has not opened its streams") from error
        except BaseException:
            await session.close()
            raise
        return cls(session, protocol, streams)

    async def inputs(self) -> AsyncIterator[tuple[int, bytes]]:
        arrived: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue(1)
        tasks = [
            asyncio.create_task(_pump(channel, self._streams[channel], arrived), name=f"stream: {channel.name}")
            for channel in (Channel.STDIN, Channel.RESIZE)
            if channel in self._streams
        ]
        tasks.append(asyncio.create_task(self._watch(arrived), name="stream: client leaving"))
        try:
            while (each := await arrived.get()) is not None:
                yield each
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, arrived: asyncio.Queue[tuple[int, bytes] | None]) -> None:
        await self._session.ended()
        await arrived.put(None)

    async def send(self, channel: Channel, data: bytes) -> None:
        if data:
            await self._streams[channel].write(data)

    async def finish(self, status: dict[str, Any]) -> None:
        await self.send(Channel.ERROR, channels.error_message(self._protocol, status))
        for stream in self._streams.values():
            await stream.close()
            stream.end("done")
        await self._session.connection.go_away()
        await self._session.hang_up()

    async def close(self) -> None:
        await self._session.close()


def expected(options: Options, protocol: channels.Protocol) -> frozenset[Channel]:
    """The streams that a client opens."""
    wanted = {
        Channel.ERROR: True,
        Channel.STDIN: options.stdin,
        Channel.STDOUT: options.stdout,
        Channel.STDERR: options.stderr,
        Channel.RESIZE: options.tty and protocol.name.startswith(("v3.", "v4.")),
    }
    return frozenset(channel for channel, is_wanted in wanted.items() if is_wanted)


async def _collect(connection: Connection, wanted: frozenset[Channel]) -> dict[Channel, Stream]:
    """Raises ConnectionError when the client goes before."""
    streams: dict[Channel, Stream] = {}
    async for stream in connection.arrivals():
        channel = channels.STREAM_TYPES.get(stream.headers.get("streamtype", ""))
        if channel in wanted and channel not in streams:
            await connection.reply(stream)
            streams[channel] = stream
        else:
            await stream.reset(Reason.REFUSED_STREAM)
        if streams.keys() == wanted:
            return streams
    raise ConnectionResetError("the client has gone before it opened its streams")


async def _pump(channel: Channel, stream: Stream, arrived: asyncio.Queue[tuple[int, bytes] | None]) -> None:
    """What comes on a stream, as the messages of a WebSocket tell it."""
    kept = b""
    while data := await stream.read():
        if channel != Channel.RESIZE:
            await arrived.put((channel, data))
            continue
        *sizes, kept = (kept + data).split(b"\n")  # one size a line
        for size in sizes:
            await arrived.put((channel, size))
    await arrived.put((Channel.CLOSE, bytes((channel,))))
