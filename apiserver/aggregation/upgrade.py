"""A request for another protocol passed on: once the other server agrees, bytes go both ways until one side ends.

Only an agreement (101) joins the two connections. Any other answer is answered as usual, and the connection ends with
it: a client must never come to speak to the other server without having been asked who it is.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from apiserver.connection import TAKE_KEY, Taken
from apiserver.remote.address import Address
from apiserver.remote.answer import READ_SIZE, Answer

if TYPE_CHECKING:
    from apiserver.endpoints.http import Request

CONNECT_TIMEOUT = 30.0


def wanted(request: Request) -> str:
    """The protocol that the client asks for, or nothing."""
    return request.header(b"upgrade") if TAKE_KEY in request.scope else ""


def head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request without a body. Raises ValueError for what would be several lines."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header of several lines")
    return "\r\n".join([*lines, "", ""]).encode()


class Upstream:
    """A connection to the other server, and the answer it has begun."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.answer = Answer(reader)

    async def join(self, client: Taken) -> None:
        """Carry bytes both ways until one side has nothing more to say."""
        await client.write(self.answer.head)
        ways = [
            asyncio.create_task(self._to_client(client), name="upgrade: to the client"),
            asyncio.create_task(self._to_server(client), name="upgrade: to the server"),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _to_client(self, client: Taken) -> None:
        while data := await self._reader.read(READ_SIZE):
            await client.write(data)

    async def _to_server(self, client: Taken) -> None:
        while data := await client.reader.read(READ_SIZE):
            self._writer.write(data)
            await self._writer.drain()


@asynccontextmanager
async def asked(address: Address, context: ssl.SSLContext, name: str, request: bytes) -> AsyncIterator[Upstream]:
    """Send a request to the server that should be `name`; the connection closes with the context.

    Raises OSError, TimeoutError, BrokenAnswer.
    """
    async with asyncio.timeout(CONNECT_TIMEOUT):
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context, server_hostname=name)
    try:
        upstream = Upstream(reader, writer)
        writer.write(request)
        await upstream.answer.begin()
        yield upstream
    finally:
        writer.close()
