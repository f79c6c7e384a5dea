"""Opens the kubelet's ports. The HTTPS one asks every client for a certificate, and serves only those in whose name
the API server, or an administrator, comes: a node's own certificate, though signed by the same authority, opens no
other node."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from daemon.aio import web

ADMIN_GROUP = "system:masters"


def tls(certificate: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """Raises OSError when a file can't be read."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(client_ca))
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def may_enter(certificate: object) -> bool:
    """Whether a peer's certificate (as ssl tells it) says that it belongs to the administrators' group."""
    subject = certificate.get("subject", ()) if isinstance(certificate, dict) else ()
    organizations = [value for entry in subject for name, value in entry if name == "organizationName"]
    return ADMIN_GROUP in organizations


@web.middleware
async def _only_admins(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    if not may_enter(certificate):
        return web.Response(status=403, text="Forbidden")
    return await handler(request)


@asynccontextmanager
async def listen(
    address: str, port: int, routes: Iterable[web.AbstractRouteDef], context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve the routes until the context ends; yields the port."""
    app = web.Application(middlewares=[_only_admins] if context is not None else [])
    app.add_routes(list(routes))
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, port, ssl_context=context, shutdown_timeout=1.0, reuse_address=True)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
