"""Requests to one API server, and `Unreachable` for everything that a network can do to them.

Ordinary requests go through httpx, on its aiohttp transport. The hot ones, of which a daemon may send a thousand a
second, and the streams go straight to the aiohttp session below it, for a third of the CPU. Both have the same
connections.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

from yarl import URL

from client.kubeconfig import Config
from client.outage import Outage
from client.wire import CONNECT_TIMEOUT, Response, Stream, Unreachable, keepalive_socket
from daemon.aio import aiohttp

if TYPE_CHECKING:
    from client.lean_httpx import httpx

IDLE_SECONDS = 60.0
"""A connection that nobody needed for so long is closed."""
_READ_BUFFER = 1 << 18
"""Twice as many bytes of a stream wait for their reader before the server is made to wait."""
_FAILURES = (aiohttp.ClientError, asyncio.TimeoutError, OSError, ssl.SSLError)
_LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)


class Transport:
    """Has up to `connections` whole requests on their way at once; opens no connection before the first request.

    A read, PUT or DELETE is sent once more when the server had closed the kept connection; aiohttp sees to that.
    """

    def __init__(self, config: Config, connections: int = 64) -> None:
        self._config = config
        self._room = asyncio.Semaphore(connections)
        self._session: aiohttp.ClientSession | None = None
        self._above: httpx.AsyncClient | None = None
        self._server_name = config.tls_server_name or None
        self._tls = cache(config.ssl_context)
        self.outage = Outage()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=self._tls() or True,
                    limit=0,
                    keepalive_timeout=IDLE_SECONDS,
                    socket_factory=keepalive_socket,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity"},
                read_bufsize=_READ_BUFFER,
                timeout=_LIMITS,
            )
        return self._session

    def _open_above(self) -> httpx.AsyncClient:
        """httpx on the session. Imported with the first ordinary request: a proxy, which only watches, has none."""
        if self._above is None:
            from client.lean_httpx import AiohttpTransport, httpx

            session = self._open()
            trust = self._tls() or False
            self._above = httpx.AsyncClient(
                transport=AiohttpTransport(verify=trust, trust_env=False, client=session),
                headers={"Accept-Encoding": "identity"},
                timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
                trust_env=False,
            )
        return self._above

    async def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,
        *,
        hot: bool = False,
    ) -> Response:
        """One request, with path and query in `target`, and its whole answer within `timeout` seconds."""
        send = self._send_bare if hot else self._send
        try:
            async with asyncio.timeout(timeout), self._room:
                answer = await send(method, self._url(target), headers, body)
        except _FAILURES as error:
            raise self._unreachable(error) from error
        self.outage.end()
        return answer

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        from client.lean_httpx import httpx

        extensions = {"sni_hostname": self._server_name} if self._server_name else None
        try:
            answer = await self._open_above().request(method, url, headers=headers, content=body, extensions=extensions)
        except httpx.HTTPError as error:
            raise error.__cause__ or OSError(str(error)) from error
        return Response(answer.status_code, dict(answer.headers), answer.content)

    async def _send_bare(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        session = self._open()
        async with session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
            server_hostname=self._server_name,
        ) as answer:
            return Response(answer.status, _lower(answer.headers), await answer.read())

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, silence: float | None
    ) -> AsyncIterator[Stream]:
        """The same, with the answer as it comes. More than `silence` seconds without a byte is Unreachable."""
        session = self._open()
        try:
            answer = await session.request(
                method,
                URL(self._url(target), encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                server_hostname=self._server_name,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=silence),
            )
        except _FAILURES as error:
            raise self._unreachable(error) from error
        self.outage.end()
        try:
            yield Stream(answer.status, _lower(answer.headers), self._chunks(answer))
        finally:
            _abort(answer)

    async def _chunks(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.content.iter_any():
                yield chunk
        except _FAILURES as error:
            raise self._unreachable(error) from error

    def _url(self, target: str) -> str:
        if not target.isprintable():
            raise ValueError("a path contains a line break, or another character that is none of a path's")
        return self._config.server + target

    def _unreachable(self, error: BaseException) -> Unreachable:
        self.outage.begin()
        if isinstance(error, asyncio.TimeoutError):
            why = "no answer in time"
        elif isinstance(error, aiohttp.ClientResponseError):
            why = f"the answer is not HTTP: {error.message}"
        else:
            why = str(error) or type(error).__name__
        return Unreachable(f"{self._config.server}: {why}")

    async def close(self) -> None:
        above, session = self._above, self._session
        self._above = self._session = None
        if above is not None:
            await above.aclose()
        if session is not None:
            await session.close()


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _abort(answer: aiohttp.ClientResponse) -> None:
    """Close a stream's connection at once: TLS's goodbye would wait up to 30 s for a server that may be gone."""
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()
    answer.close()
