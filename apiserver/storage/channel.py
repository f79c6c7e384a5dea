"""The wire to etcd: calls of bytes to one of several endpoints.

An endpoint that cannot be reached is left for the next one. What was certainly not sent is tried there at once; what
may have been sent is the caller's to decide.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from daemon.grpc.calls import Call, CallError, Unreachable
from daemon.grpc.http2 import Connection

__all__ = ["CallError", "Certificates", "Channel", "Stream", "Unreachable"]

CALL_TIMEOUT = 10.0
CONNECT_TIMEOUT = 3.0
_DEFAULT_PORT = 2379
_HEADERS = (("hasleader", "true"),)
"""A member that has lost its cluster shall refuse, not keep us waiting."""


@dataclass(frozen=True)
class Certificates:
    """The files for TLS to etcd. Without a CA file the system's roots are trusted."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class Stream:
    """An open call with messages both ways."""

    def __init__(self, connection: Connection, call: Call) -> None:
        self._connection = connection
        self._call = call

    def send(self, message: bytes) -> None:
        """Raises CallError."""
        self._connection.send(self._call, message)

    async def receive(self) -> bytes | None:
        """The next message, or None at the end. Raises CallError."""
        return await self._connection.receive(self._call)


class Channel:
    """Calls to whichever endpoint works. `endpoints` are URLs: `https://10.0.0.1:2379`."""

    def __init__(self, endpoints: Sequence[str], certificates: Certificates) -> None:
        self._endpoints = [Endpoint(url, certificates) for url in endpoints]
        self._current = 0

    async def call(self, method: str, message: bytes, timeout: float = CALL_TIMEOUT) -> bytes:
        """Raises Unreachable, CallError."""
        for _ in self._endpoints[1:]:
            used = self._current
            try:
                return await self._call(used, method, message, timeout)
            except Unreachable as error:
                self._leave(used)
                if error.sent:
                    raise
        return await self._call(self._current, method, message, timeout)

    @asynccontextmanager
    async def stream(self, method: str) -> AsyncIterator[Stream]:
        """Open a call with messages both ways; it is cancelled when the context ends. Raises Unreachable."""
        used = self._current
        try:
            connection = await self._endpoints[used].connection()
            call = connection.open(method)
        except Unreachable:
            self._leave(used)
            raise
        try:
            yield Stream(connection, call)
        except Unreachable:
            self._leave(used)
            raise
        finally:
            connection.cancel(call)

    async def close(self) -> None:
        for endpoint in self._endpoints:
            endpoint.close()

    async def _call(self, used: int, method: str, message: bytes, timeout: float) -> bytes:
        endpoint = self._endpoints[used]
        connection = endpoint.live
        if connection is None or not connection.usable:
            connection = await endpoint.connection()
        return await connection.unary(method, message, timeout)

    def _leave(self, used: int) -> None:
        if self._current == used:
            self._current = (used + 1) % len(self._endpoints)


class Endpoint:
    """One etcd server: the connection to it, made anew when it is needed and gone."""

    def __init__(self, url: str, certificates: Certificates) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        self._host = parts.hostname or "localhost"
        self._port = parts.port or _DEFAULT_PORT
        self._authority = parts.netloc
        self._tls = _context(certificates) if parts.scheme == "https" else None
        self.live: Connection | None = None
        self._connecting: asyncio.Task[Connection] | None = None

    async def connection(self) -> Connection:
        """A connection that takes calls; callers who come meanwhile share the attempt. Raises Unreachable."""
        if self.live is not None and self.live.usable:
            return self.live
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(), name="etcd connection")
            self._connecting.add_done_callback(self._connected)
        return await asyncio.shield(self._connecting)

    def close(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self.live is not None:
            self.live.close()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        scheme = "https" if self._tls else "http"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._authority, scheme, _HEADERS),
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls else None,
                )
        except (OSError, TimeoutError) as error:
            why = str(error) or "timed out"
            raise Unreachable(f"failed to connect to {self._authority}: {why}", sent=False) from error
        return connection

    def _connected(self, task: asyncio.Task[Connection]) -> None:
        self._connecting = None
        if not task.cancelled() and task.exception() is None:
            self.live = task.result()


def _context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificates.ca) if certificates.ca else None)
    if certificates.certificate is not None:
        context.load_cert_chain(str(certificates.certificate), str(certificates.key) if certificates.key else None)
    context.set_alpn_protocols(["h2"])
    return context
