"""A client's connection: uvicorn's HTTP protocol with two things it does not offer.

ASGI says nothing about client certificates, so the TLS session is looked at once, when the connection is made, and
every request's scope is marked with the identity in it. And the head of an answer waits for its body, so that both go
out as one TLS record and one system call, which saves a small answer about a tenth of its cost.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from apiserver.auth.certificates import SCOPE_KEY, user_of
from apiserver.auth.user import User

_HEAD = b"HTTP/1.1 "


class JoinedWrites:
    """A transport that holds an answer's head back until its body comes or the turn of the event loop is over."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info

    def write(self, data: bytes) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        elif data.startswith(_HEAD):
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)


class ClientConnection(HttpToolsProtocol):
    """The protocol class that uvicorn is configured with."""

    certificate_user: User | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, JoinedWrites(transport, self.loop))
        session: Any = transport.get_extra_info("ssl_object")
        self.certificate_user = user_of(session.getpeercert()) if session is not None else None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[SCOPE_KEY] = self.certificate_user  # type: ignore[literal-required]
