"""A WebSocket to the API server, with the run's own credentials; a refusal is the StatusError that the server gave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from daemon.aio import aiohttp
from kubectl.errors import Unreachable
from kubectl.server import decode
from kubectl.session import Session
from kubectl.transport import CONNECT_TIMEOUT, USER_AGENT, Answer, explain

HEARTBEAT = 30.0
"""Seconds between pings: a server that answers none has gone."""
Pairs = Sequence[tuple[str, str]]


@asynccontextmanager
async def opened(
    session: Session, path: str, query: Pairs, protocols: Sequence[str]
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Raises StatusError, Unreachable."""
    config = session.config
    headers = {"User-Agent": USER_AGENT}
    if token := config.bearer_token():
        headers["Authorization"] = f"Bearer {token}"
    connector = aiohttp.TCPConnector(ssl=config.ssl_context() or True)
    limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
    address = config.server.split("://", 1)[-1]
    async with aiohttp.ClientSession(
        connector=connector, timeout=limits, raise_for_status=_refused, headers=headers
    ) as client:
        try:
            socket = await client.ws_connect(
                f"{config.server}{path}?{urlencode(query)}",
                protocols=protocols,
                max_msg_size=0,
                heartbeat=HEARTBEAT,
                server_hostname=config.tls_server_name or None,
            )
        except (aiohttp.ClientConnectorError, OSError) as problem:
            cause = getattr(problem, "os_error", problem)
            raise Unreachable(explain(address, cause)) from problem
        except aiohttp.ClientError as problem:
            raise Unreachable(f"error: the server does not speak WebSockets here: {problem}") from problem
        try:
            yield socket
        finally:
            await socket.close()


async def _refused(answer: aiohttp.ClientResponse) -> None:
    if answer.status >= 400:
        decode(Answer(answer.status, await answer.read()))
