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

from yarl import URL

from client.kubeconfig import Config
from client.lean_httpx import AiohttpTransport, aiohttp, httpx
from client.wire import CONNECT_TIMEOUT, Response, Stream, Unreachable, keepalive_socket

IDLE_SECONDS = 60.0
"""A connection that nobody needed for so long is closed."""
_READ_BUFFER = 1 << 18
"""Twice as many bytes of a stream wait for their reader before the server is made to wait."""
_FAILURES = (httpx.HTTPError, aiohttp.ClientError, asyncio.TimeoutError, OSError, ssl.SSLError)
_LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)


class Transport:
    """Has up to `connections` whole requests on their way at once; opens no connection before the first request.

    A read, PUT or DELETE is sent once more when the server had closed the kept connection; aiohttp sees to that.
    """

    def __init__(self, config: Config, connections: int = 64) -> None:
        self._config = config
        self._room = asyncio.Semaphore(connections)
        self._opened: tuple[aiohttp.ClientSession, httpx.AsyncClient] | None = None
        self._server_name = config.tls_server_name or None

    def _open(self) -> tuple[aiohttp.ClientSession, httpx.AsyncClient]:
        if self._opened is None:
            tls = self._config.ssl_context()
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=tls or True, limit=0, keepalive_timeout=IDLE_SECONDS, socket_factory=keepalive_socket
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity"},
                read_bufsize=_READ_BUFFER,
                timeout=_LIMITS,
            )
            above = AiohttpTransport(verify=tls or False, trust_env=False, client=session)
            timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT)
            client = httpx.AsyncClient(
                transport=above, headers={"Accept-Encoding": "identity"}, timeout=timeout, trust_env=False
            )
            self._opened = session, client
        return self._opened

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
                return await send(method, self._url(target), headers, body)
        except _FAILURES as error:
            raise self._unreachable(error) from error

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        _, client = self._open()
        extensions = {"sni_hostname": self._server_name} if self._server_name else None
        answer = await client.request(method, url, headers=headers, content=body, extensions=extensions)
        return Response(answer.status_code, dict(answer.headers), answer.content)

    async def _send_bare(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        session, _ = self._open()
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
        session, _ = self._open()
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
        told = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
        if isinstance(told, asyncio.TimeoutError):
            why = "no answer in time"
        elif isinstance(told, aiohttp.ClientResponseError):
            why = f"the answer is not HTTP: {told.message}"
        else:
            why = str(told) or type(told).__name__
        return Unreachable(f"{self._config.server}: {why}")

    async def close(self) -> None:
        if self._opened is not None:
            _, client = self._opened
            self._opened = None
            await client.aclose()  # and with it the session


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _abort(answer: aiohttp.ClientResponse) -> None:
    """Close a stream's connection at once: TLS's goodbye would wait up to 30 s for a server that may be gone."""
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()
    answer.close()
