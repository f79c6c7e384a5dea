"""The client's end of an exec or attach: what it sends comes as (channel, data), whatever the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

from client.streams import channels
from client.streams.channels import BadMessage, Channel
from daemon.aio import aiohttp, web
from daemon.log import logger

log = logger(__name__)

MAX_MESSAGE = 32 * 1024 * 1024


class Remote(Protocol):
    """One client. Its methods raise ConnectionError when it has gone."""

    def inputs(self) -> AsyncIterator[tuple[int, bytes]]:
        """What it sends: STDIN and RESIZE with their data, CLOSE with the number of the channel that ends. It ends
        when the client has gone."""

    async def send(self, channel: Channel, data: bytes) -> None:
        """Waits while the client is slower than we are."""

    async def finish(self, status: dict[str, Any]) -> None:
        """Tell how it ended, and hang up."""


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
        async for message in self.socket:
            if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                continue
            try:
                channel, data = self._protocol.unpack(message.data)
            except BadMessage as error:
                log.debug("a message that makes no sense", why=str(error))
                continue
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
