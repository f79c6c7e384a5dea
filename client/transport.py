"""Requests to one API server: over connections of our own when whole, over an aiohttp session when streaming."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from client.connection import Pool
from client.kubeconfig import Config
from client.wire import CONNECT_TIMEOUT, Response, Stream, Unreachable, keepalive_socket

_FAILURES = (aiohttp.ClientError, OSError, asyncio.TimeoutError, ssl.SSLError)


class Transport:
    """Keeps up to `connections` connections open; opens none before the first request."""

    def __init__(self, config: Config, connections: int = 64) -> None:
        self._server = config.server
        self._config = config
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._pool: Pool | None = None
        self._tls: ssl.SSLContext | None = None

    def _context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            self._tls = self._config.ssl_context()
        return self._tls

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                ssl=self._context() or True,
                limit=self._connections,
                keepalive_timeout=30,
                socket_factory=keepalive_socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
                read_bufsize=1 << 18,
            )
        return self._session

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> Response:
        if self._pool is None:
            self._pool = Pool(self._config, self._context(), self._connections)
        try:
            async with asyncio.timeout(timeout):
                return await self._pool.send(method, target, headers, body)
        except _FAILURES as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, silence: float | None
    ) -> AsyncIterator[Stream]:
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=silence)
        try:
            response = await self._open().request(
                method,
                URL(self._server + target, encoded=True),
                headers=headers,
                data=body,
                timeout=limits,
                allow_redirects=False,
                server_hostname=self._config.tls_server_name or None,
            )
        except _FAILURES as error:
            raise self._unreachable(error) from error
        try:
            yield Stream(response.status, response.headers, self._chunks(response))
        finally:
            response.close()

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.content.iter_any():
                yield chunk
        except _FAILURES as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: BaseException) -> Unreachable:
        why = "no answer in time" if isinstance(error, asyncio.TimeoutError) else str(error) or type(error).__name__
        return Unreachable(f"{self._server}: {why}")

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
        if self._session is not None:
            await self._session.close()
            self._session = None
