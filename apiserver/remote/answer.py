"""An HTTP/1.1 answer under way on a connection of our own: its head, then its body in pieces.

For the few requests that a client library does not serve well: logs of kubelets, and what becomes another protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httptools

SWITCHING = 101
READ_SIZE = 64 * 1024


class BrokenAnswer(Exception):
    """The answer cannot be read, or breaks off."""


class Answer:
    """Read from `reader`. `status` and `headers` are there after `begin`."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.head = b""
        """What was read up to the end of the head, and perhaps somewhat more."""
        self._reader = reader
        self._parser: Any = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._complete = False
        self._framed = False
        """Whether the answer says where it ends; one that does not ends with its connection."""

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self.headers.append((name, value))
        if name in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self._complete = True

    @property
    def switches(self) -> bool:
        """Whether what follows the head is another protocol."""
        return self.status == SWITCHING

    async def begin(self) -> None:
        """Read up to the end of the head. Raises BrokenAnswer."""
        while not self.status:
            self.head += await self._more()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, as it comes. Raises BrokenAnswer."""
        while True:
            if self._pieces:
                joined, self._pieces = b"".join(self._pieces), []
                yield joined
            elif self._complete:
                return
            else:
                await self._more()

    async def read(self, limit: int) -> bytes:
        """The first `limit` bytes of the body. Raises BrokenAnswer."""
        read = bytearray()
        async for piece in self.pieces():
            read += piece
            if len(read) >= limit:
                break
        return bytes(read[:limit])

    async def _more(self) -> bytes:
        try:
            data = await self._reader.read(READ_SIZE)
            if data:
                self._parser.feed_data(data)
                return data
        except httptools.HttpParserUpgrade:
            return data
        except (OSError, httptools.HttpParserError) as error:
            raise BrokenAnswer(str(error)) from error
        if not self.status or self._framed:
            raise BrokenAnswer("the connection closed before the end of the answer")
        self._complete = True
        return b""
