"""What a client sends by the channel protocols, message by message."""

from __future__ import annotations

from collections.abc import AsyncIterator

from client.streams.channels import BadMessage, Protocol
from daemon.aio import aiohttp, web
from daemon.log import logger

log = logger(__name__)


async def unpacked(socket: web.WebSocketResponse, protocol: Protocol) -> AsyncIterator[tuple[int, bytes]]:
    """The channel and the data of each, until the client goes. What makes no sense is passed over."""
    async for message in socket:
        if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            try:
                yield protocol.unpack(message.data)
            except BadMessage as error:
                log.debug("a message that makes no sense", why=str(error))
