"""`pytheas proxy`: the API on a local port, in the name of whoever runs it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from daemon.aio import aiohttp, web
from kubectl.session import Session
from kubectl.transport import CONNECT_TIMEOUT, USER_AGENT

_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?\Z")
"""A page elsewhere that has a name lead here must not act with the user's rights."""
_REFUSED = re.compile(r"/api/.*/pods/.*/(exec|attach)\b")
_NOT_PASSED_ON = frozenset(
    ("host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "authorization", "origin")
)


async def serve(session: Session, address: str, port: int, *, any_host: bool, say: Callable[[str], None]) -> None:
    """Until it is cancelled. Raises OSError."""
    config = session.config
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if token := config.bearer_token():
        headers["Authorization"] = f"Bearer {token}"
    limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
    connector = aiohttp.TCPConnector(ssl=config.ssl_context() or True, limit=0)
    async with aiohttp.ClientSession(
        connector=connector, timeout=limits, headers=headers, auto_decompress=False
    ) as client:

        async def handle(request: web.Request) -> web.StreamResponse:
            if not any_host and not _LOCAL.match(request.host):
                return web.Response(status=403, text="Forbidden")
            if _REFUSED.match(request.path):
                return web.Response(status=403, text="Forbidden")
            return await _pass_on(client, config.server, config.tls_server_name, request)

        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, address, port, shutdown_timeout=1.0).start()
            say(f"Starting to serve on {address}:{runner.addresses[0][1]}")
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


async def _pass_on(
    client: aiohttp.ClientSession, server: str, server_name: str, request: web.Request
) -> web.StreamResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
    try:
        async with client.request(
            request.method,
            f"{server}{request.raw_path}",
            headers=headers,
            data=request.content if request.can_read_body else None,
            allow_redirects=False,
            server_hostname=server_name or None,
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response
    except aiohttp.ClientError as problem:
        return web.Response(status=502, text=f"{problem}\n")
