"""A daemon's small web server: `/healthz`, `/livez`, `/readyz` for its supervisor, `/metrics` for Prometheus.

A check is a function that returns None when all is well, or a sentence that says what is wrong. `?verbose` lists
every check by name, as Kubernetes' endpoints do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from daemon.aio import web
from daemon.fatal import Fatal

Check = Callable[[], str | None]
Handler = Callable[[web.Request], Awaitable[web.Response]]

_IDLE_SECONDS = 30.0


def split_bind(text: str) -> tuple[str, int]:
    """`127.0.0.1:10259` or `[::1]:10259` → host and port. Raises Fatal."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise Fatal(f"{text!r} is not an address to listen on: write it as 127.0.0.1:10259")
    return host.strip("[]"), int(port)


@asynccontextmanager
async def serve(
    host: str,
    port: int,
    checks: Mapping[str, Check],
    *,
    ready: Mapping[str, Check] | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> AsyncIterator[int]:
    """Serve until the context ends; yields the port (asked for as 0, it is chosen freely).

    `checks` are for /healthz and /livez; /readyz asks those of `ready` as well. Raises Fatal when the address is taken.
    """
    app = web.Application()
    for name, asked in (("healthz", checks), ("livez", checks), ("readyz", {**checks, **(ready or {})})):
        app.router.add_get(f"/{name}", _page(name, asked))
    app.router.add_get("/metrics", _metrics(registry))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=_IDLE_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host or None, port).start()
        except OSError as error:
            raise Fatal(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _page(name: str, checks: Mapping[str, Check]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        failed = {check: why for check, ask in checks.items() if (why := ask())}
        if not failed and "verbose" not in request.query:
            return web.Response(text="ok")
        lines = [f"[-]{check} failed: {failed[check]}" if check in failed else f"[+]{check} ok" for check in checks]
        lines.append(f"{name} check {'failed' if failed else 'passed'}\n")
        return web.Response(text="\n".join(lines), status=500 if failed else 200)

    return answer


def _metrics(registry: CollectorRegistry) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer
