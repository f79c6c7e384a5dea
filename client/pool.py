"""Connections to one server: made when needed, kept for the next request, closed when they grow old."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from client.connection import Closed, Connection, StreamingConnection
from client.kubeconfig import Config
from client.wire import CONNECT_TIMEOUT, Response, keepalive_socket

IDLE_SECONDS = 60.0
"""A connection that nobody needed for so long is closed."""
_SAFE = frozenset(("GET", "HEAD", "PUT", "DELETE"))
"""Methods that may be sent again when a kept connection turned out to be closed (RFC 9110, 9.2.2)."""

C = TypeVar("C", Connection, StreamingConnection)


class Pool:
    """The connection used last is used next, so that spare ones grow old. `connections` bounds the whole requests."""

    def __init__(self, config: Config, connections: int) -> None:
        where = urlsplit(config.server)
        self._tls: ssl.SSLContext | None = config.ssl_context()
        self._host = where.hostname or "localhost"
        self._port = where.port or (443 if self._tls else 80)
        self._name = (config.tls_server_name or self._host) if self._tls else None
        self._prefix = where.path.rstrip("/")
        self._authority = where.netloc
        self._idle: deque[Connection] = deque()
        self._room = asyncio.Semaphore(connections)
        self._all: set[Connection | StreamingConnection] = set()
        self._closed = False

    async def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        """Raises OSError (Closed among them) and ssl.SSLError. The caller bounds the time."""
        head = self.head(method, target, headers, body)
        async with self._room:
            while True:
                connection = self._kept() or await self._open(Connection)
                reused = connection.used
                try:
                    return await connection.send(head, body)
                except Closed as closed:
                    if not reused or closed.answered or method not in _SAFE:
                        raise
                finally:
                    self._put_back(connection)

    async def stream(self) -> StreamingConnection:
        """A fresh connection; `drop` it afterwards."""
        return await self._open(StreamingConnection)

    def head(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
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
            self.drop(self._idle.popleft())
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            self.drop(connection)
        return None

    async def _open(self, kind: Callable[[], C]) -> C:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT):
            sock = await self._socket()
            try:
                _, connection = await loop.create_connection(kind, sock=sock, ssl=self._tls, server_hostname=self._name)
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
            self.drop(connection)

    def drop(self, connection: Connection | StreamingConnection) -> None:
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
