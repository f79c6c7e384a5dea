"""Opens the kubelet's ports. Clients of the HTTPS one show a certificate or a token; `access` says who may what."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from daemon.aio import web
from kubelet.server.access import Access

_VERSIONS = {"VersionTLS12": ssl.TLSVersion.TLSv1_2, "VersionTLS13": ssl.TLSVersion.TLSv1_3}


def tls(
    certificate: Path, key: Path, client_ca: Path, least: str = "VersionTLS12", suites: Iterable[str] = ()
) -> ssl.SSLContext:
    """`least` and `suites` are named as Kubernetes names them. Raises OSError when a file can't be read."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(client_ca))
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.minimum_version = _VERSIONS[least]
    if named := [cipher(name) for name in suites if "_WITH_" in name]:  # those of TLS 1.3 are not to be chosen
        context.set_ciphers(":".join(named))
    return context


def cipher(name: str) -> str:
    """A cipher suite of TLS 1.2 as OpenSSL calls it: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`."""
    exchange, _, rest = name.removeprefix("TLS_").partition("_WITH_")
    for theirs, ours in (("AES_", "AES"), ("_CBC", ""), ("POLY1305_SHA256", "POLY1305")):
        rest = rest.replace(theirs, ours)
    return (rest if exchange == "RSA" else f"{exchange}_{rest}").replace("_", "-")


@asynccontextmanager
async def listen(
    address: str,
    port: int,
    routes: Iterable[web.AbstractRouteDef],
    context: ssl.SSLContext | None = None,
    access: Access | None = None,
) -> AsyncIterator[int]:
    """Serve the routes until the context ends, to those who may; yields the port."""
    app = web.Application(middlewares=[access.middleware] if access is not None else [])
    app.add_routes(list(routes))
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, port, ssl_context=context, shutdown_timeout=1.0, reuse_address=True)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
