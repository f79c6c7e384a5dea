"""A request for another protocol passed on: once the other server agrees, bytes go both ways until one side ends.

Only an agreement (101) joins the two connections. Any other answer is answered as usual, and the connection ends with
it: a client must never come to speak to the other server without having been asked who it is.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import httptools

from apiserver.connection import TAKE_KEY, Taken
from apiserver.remote.address import Address

if TYPE_CHECKING:
    from apiserver.endpoints.http import Request

CONNECT_TIMEOUT = 30.0
_READ_SIZE = 64 * 1024
_SWITCHING = 101


class NotHttp(Exception):
    """The other server's answer cannot be read."""


def wanted(request: Request) -> str:
    """The protocol that the client asks for, or nothing."""
    return request.header(b"upgrade") if TAKE_KEY in request.scope else ""


class Upstream:
    """A connection to the other server, and the head of its answer. Raises OSError, TimeoutError, NotHttp."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser: Any = httptools.HttpResponseParser(self)
        self._head = b""
        self._pieces: list[bytes] = []
        self._complete = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []

    @classmethod
    async def open(cls, address: Address, context: ssl.SSLContext, name: str) -> Upstream:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            opened = asyncio.open_connection(address.host, address.port, ssl=context, server_hostname=name)
            return cls(*await opened)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self._complete = True

    async def ask(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> None:
        """Send the request, and read up to the end of the answer's head."""
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        if any("\r" in line or "\n" in line for line in lines):
            raise NotHttp("a header of several lines")
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        while not self.status:
            await self._more()

    async def _more(self) -> None:
        data = await self._reader.read(_READ_SIZE)
        if not data:
            raise NotHttp("EOF")
        self._head += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError as error:
            raise NotHttp(f"malformed HTTP response: {error}") from error

    @property
    def agrees(self) -> bool:
        return self.status == _SWITCHING

    async def body(self, limit: int) -> bytes:
        """The body of an answer that is no agreement."""
        while not self._complete and sum(map(len, self._pieces)) < limit:
            await self._more()
        return b"".join(self._pieces)

    async def join(self, client: Taken) -> None:
        """Carry bytes both ways until one side has nothing more to say."""
        await client.write(self._head)
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
        while data := await self._reader.read(_READ_SIZE):
            await client.write(data)

    async def _to_server(self, client: Taken) -> None:
        while data := await client.reader.read(_READ_SIZE):
            self._writer.write(data)
            await self._writer.drain()

    def close(self) -> None:
        self._writer.close()
