"""Servers that the API server asks: HTTPS with a certificate authority of their own, behind a Service."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from cluster import identities
from cluster.pki import Authority, Pair, Subject
from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import Api

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(
    folder: Path, handler: Handler, *hosts: str, client_ca: Path | None = None
) -> AsyncIterator[tuple[int, str]]:
    """Serve over HTTPS on every address: the port, and the CA as a `caBundle`.

    `hosts` are the names in the certificate; with `client_ca` only clients with a certificate of that CA are let in.
    """
    authority = Authority(folder, "ca-of-the-server-behind")
    pair = Pair(folder / "serving.crt", folder / "serving.key")
    authority.issue(pair, Subject("server", hosts=hosts))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1], base64.b64encode(authority.pair.certificate.read_bytes()).decode()
    finally:
        await end(runner)


@asynccontextmanager
async def kubelet(plane: ControlPlane, handler: Handler) -> AsyncIterator[int]:
    """Serve on loopback with a kubelet's certificate, to clients with one of the cluster's: the port."""
    pair = identities.pair(plane.layout, "kubelet-server")
    Authority(plane.layout.pki, "ca").issue(pair, Subject("n1", hosts=("n1", "127.0.0.1")))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(plane.layout.pki / "ca.crt"))
    context.load_cert_chain(pair.certificate, pair.key)
    context.verify_mode = ssl.CERT_REQUIRED
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await end(runner)


async def end(runner: web.AppRunner) -> None:
    """Stop serving, and not wait for the farewells of TLS."""
    assert runner.server is not None
    for connection in runner.server.connections:
        if connection.transport is not None:
            connection.transport.abort()
    await runner.cleanup()


def own_address() -> str:
    """An address of this machine that an endpoint may have: not the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks the routing table
        return str(probe.getsockname()[0])


async def expose(api: Api, name: str, port: int) -> None:
    """A Service in the test's namespace whose port 443 is the server at `port` of this machine."""
    spec = {"ports": [{"name": "https", "port": 443, "protocol": "TCP"}]}
    made = await api.create("services", {"metadata": {"name": name}, "spec": spec})
    assert made.code == 201, made.message
    endpoint_slice = {
        "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [own_address()], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
    made = await api.create("endpointslices", endpoint_slice, group="discovery.k8s.io")
    assert made.code == 201, made.message
