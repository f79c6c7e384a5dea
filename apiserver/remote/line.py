"""A connection of our own to another server, for one request: its body is sent piece by piece, its answer read so.

For what a client library does not serve well: logs of kubelets, bodies of any length, other protocols.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from apiserver.remote.address import Address
from apiserver.remote.answer import READ_SIZE, Answer

CONNECT_TIMEOUT = 30.0
_LIMIT = 4 * READ_SIZE


def head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request's head. Raises ValueError for what would be several lines."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header of several lines")
    return "\r\n".join([*lines, "", ""]).encode()


class Line:
    """Send what the request consists of, and read `answer`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self.answer = Answer(reader)

    async def send(self, data: bytes) -> None:
        """Send, and wait while the other server is slower than we are. Raises OSError."""
        self._writer.write(data)
        await self._writer.drain()


@asynccontextmanager
async def opened(
    address: Address, context: ssl.SSLContext | None, name: str = "", seconds: float = CONNECT_TIMEOUT
) -> AsyncIterator[Line]:
    """A connection, by TLS if there is a context, to the server that should be `name`; closed with this context.

    Raises OSError, TimeoutError.
    """
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(
            address.host,
            address.port,
            ssl=context,
            server_hostname=(name or address.host) if context is not None else None,
            limit=_LIMIT,
        )
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
