"""A daemon's small web server: `/healthz`, `/livez`, `/readyz` for its supervisor, `/metrics` for Prometheus.

A check is a function that returns None when all is well, or a sentence that says what is wrong. `?verbose` lists
every check by name, as Kubernetes' endpoints do. It knows GET only, and so little HTTP that a framework, 14 MB of a
daemon's memory, would be too much.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import cast
from urllib.parse import parse_qs, urlsplit

import httptools
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from daemon.fatal import Fatal

Check = Callable[[], str | None]
Answer = tuple[int, str, bytes]
"""Status, content type, body."""

_IDLE_SECONDS = 30.0
_MOST_HEAD = 16_384


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
    pages = Pages(checks, {**checks, **(ready or {})}, registry)
    connections: set[_Connection] = set()
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: _Connection(pages, connections), host or None, port)
    except OSError as error:
        raise Fatal(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for connection in list(connections):
            connection.close()
        await server.wait_closed()


class Pages:
    """What is answered to which path. Pure but for the checks."""

    def __init__(
        self, live: Mapping[str, Check], ready: Mapping[str, Check], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._checks = {"/healthz": live, "/livez": live, "/readyz": ready}
        self._registry = registry

    def answer(self, method: str, target: str) -> Answer:
        where = urlsplit(target)
        if method not in ("GET", "HEAD"):
            return 405, "text/plain", b"method not allowed\n"
        if where.path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        checks = self._checks.get(where.path)
        if checks is None:
            return 404, "text/plain", b"not found\n"
        status, text = report(where.path[1:], checks, "verbose" in parse_qs(where.query, keep_blank_values=True))
        return status, "text/plain; charset=utf-8", text.encode()


def report(page: str, checks: Mapping[str, Check], verbose: bool) -> tuple[int, str]:
    failed = {name: why for name, ask in checks.items() if (why := ask())}
    if not failed and not verbose:
        return 200, "ok"
    lines = [f"[-]{name} failed: {failed[name]}" if name in failed else f"[+]{name} ok" for name in checks]
    lines.append(f"{page} check {'failed' if failed else 'passed'}\n")
    return 500 if failed else 200, "\n".join(lines)


class _Connection(asyncio.Protocol):
    """Answers one request after the other; gives up on who says nothing, or too much."""

    def __init__(self, pages: Pages, connections: set[_Connection]) -> None:
        self._pages, self._connections = pages, connections
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._head = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self.close)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self._timer.cancel()

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._respond((400, "text/plain", b"bad request\n"), "GET", keep=False)
            return
        if self._head > _MOST_HEAD:
            self.close()

    def on_message_begin(self) -> None:
        self._target = b""

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        answer = self._pages.answer(method, self._target.decode("latin-1"))
        self._respond(answer, method, keep=self._parser.should_keep_alive())

    def _respond(self, answer: Answer, method: str, keep: bool) -> None:
        status, kind, body = answer
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        self._transport.write(head.encode("latin-1") + (b"" if method == "HEAD" else body))
        self._head = 0
        self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self.close)
        if not keep:
            self.close()
