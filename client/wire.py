"""What comes over the network from an API server, whole or as a stream, and the error when nothing comes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

CONNECT_TIMEOUT = 5.0
REQUEST_TIMEOUT = 30.0


class Unreachable(OSError):
    """The API server did not answer: refused, reset, timed out, or not who it should be. Trying again may help."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. The headers' names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body. Raises ValueError."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise ValueError(f"the answer is not JSON: {error}") from error

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that goes on: a watch, a log. `chunks` ends when the server ends it, and raises Unreachable when
    it breaks off or is silent for too long."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks])

    async def lines(self) -> AsyncIterator[bytes]:
        """Line by line, without the newline; a last line without one counts as well."""
        rest = b""
        async for chunk in self.chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line
        if rest:
            yield rest


def keepalive_socket(address: Any) -> socket.socket:
    """A socket which notices within half a minute that the other host is gone, also when nobody writes.

    A watch may be silent for minutes; without this a cut cable looks like a quiet cluster. See tcp(7).
    """
    family, kind, protocol = address[:3]
    sock = socket.socket(family=family, type=kind, proto=protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 30_000)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
