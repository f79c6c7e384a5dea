"""Whole requests over kept connections, with as little as possible between the caller and the socket.

A scheduler binds a thousand pods a second, and each of those requests cost it 0.26 ms of CPU in aiohttp; here it costs
0.09. What is missing on purpose: redirects, cookies, compression, proxies, streaming. Responses are parsed by
httptools' C parser, so chunked and oddly cut answers are read right.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools
from multidict import CIMultiDict

from client.kubeconfig import Config
from client.wire import CONNECT_TIMEOUT, Response, keepalive_socket

IDLE_SECONDS = 60.0
"""A connection that nobody needed for so long is closed, or found closed by the server."""
_SAFE = frozenset(("GET", "HEAD", "PUT", "DELETE"))
"""Methods that may be sent again when a kept connection turned out to be closed (RFC 9110, 9.2.2)."""


class Closed(ConnectionError):
    """The server closed the connection before the answer was whole. `answered`: after its first byte."""

    def __init__(self, answered: bool) -> None:
        super().__init__("the server closed the connection")
        self.answered = answered


class Connection(asyncio.Protocol):
    """One connection with at most one request on its way."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self.usable = True
        self.lost = asyncio.Event()
        """Set when nothing of the connection is left."""
        self.idle_since = 0.0
        self.used = False

    async def send(self, head: bytes, body: bytes | None) -> Response:
        """Raises Closed."""
        if self._transport is None or not self.usable:
            raise Closed(answered=False)
        self._parser = httptools.HttpResponseParser(self)
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._parts: list[bytes] = []
        self._begun = False
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(head + body if body else head)
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.close()  # the answer may still come, and must not be taken for the next one's
            raise
        finally:
            self._answer = None
            self.used = True

    def close(self) -> None:
        self.usable = False
        if self._transport is not None:
            # All that was to be said is said; TLS's goodbye would wait up to 30 s for a server that may be gone.
            self._transport.abort()

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def connection_lost(self, error: Exception | None) -> None:
        self.usable = False
        self.lost.set()
        self._fail(Closed(self._answer is not None and self._begun))

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # nobody asked for this
            return
        self._begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.close()
            self._fail(ConnectionError(f"the answer is not HTTP: {error}"))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # -- the parser's side

    def on_message_begin(self) -> None:
        self._headers, self._parts = CIMultiDict(), []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1")] = value.decode("latin-1")

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


class Pool:
    """Connections to one server: the one used last is used next, so that spare ones grow old and are closed."""

    def __init__(self, config: Config, tls: ssl.SSLContext | None, connections: int) -> None:
        where = urlsplit(config.server)
        self._tls = tls
        self._host = where.hostname or "localhost"
        self._port = where.port or (443 if self._tls else 80)
        self._name = (config.tls_server_name or self._host) if self._tls else None
        self._prefix = where.path.rstrip("/")
        self._authority = where.netloc
        self._idle: deque[Connection] = deque()
        self._room = asyncio.Semaphore(connections)
        self._all: set[Connection] = set()
        self._closed = False

    async def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        """Raises OSError (Closed among them) and ssl.SSLError. The caller bounds the time."""
        head = self._head(method, target, headers, body)
        async with self._room:
            while True:
                connection = self._kept() or await self._open()
                reused = connection.used
                try:
                    return await connection.send(head, body)
                except Closed as closed:
                    if not reused or closed.answered or method not in _SAFE:
                        raise
                finally:
                    self._put_back(connection)

    def _head(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        lines = [f"{method} {self._prefix}{target} HTTP/1.1", f"Host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body or b'')}")
        text = "\r\n".join(lines)
        if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
            raise ValueError("a header or path contains a line break")
        return f"{text}\r\n\r\n".encode("latin-1")

    def _kept(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle and (not self._idle[0].usable or self._idle[0].idle_since < oldest):
            self._drop(self._idle.popleft())
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            self._drop(connection)
        return None

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT):
            sock = await self._socket()
            try:
                _, connection = await loop.create_connection(
                    Connection, sock=sock, ssl=self._tls, server_hostname=self._name
                )
            except BaseException:
                sock.close()
                raise
        self._all.add(connection)
        return connection

    async def _socket(self) -> socket.socket:
        """A connected socket, to the first of the host's addresses that answers."""
        loop = asyncio.get_running_loop()
        failure: OSError = ConnectionError(f"{self._host} has no address")
        for address in await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            sock = keepalive_socket(address)
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, address[4])
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError):
                    raise
                failure = error
            else:
                return sock
        raise failure

    def _put_back(self, connection: Connection) -> None:
        if connection.usable and not self._closed:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._all.discard(connection)
        connection.close()

    async def close(self) -> None:
        self._closed = True
        connections = list(self._all)
        self._all.clear()
        self._idle.clear()
        for connection in connections:
            connection.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                for connection in connections:
                    await connection.lost.wait()
