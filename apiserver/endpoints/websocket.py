"""Long answers as messages of a WebSocket (RFC 6455): for browsers and others that can't read an HTTP answer while it
grows. A log comes in pieces, a watch as one event a message; what the client says is not listened to, but for its end.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from api.errors import BadRequest
from apiserver.connection import TAKE_KEY, Taken

if TYPE_CHECKING:
    from apiserver.endpoints.http import Request

Message = str | bytes
Framing = Callable[[bytes], Iterable[Message]]
"""How a part of an answer becomes messages."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_FINAL = 0x80
LINGER = 5.0
"""Seconds for a client to answer our farewell."""
_NORMAL = struct.pack("!H", 1000)


def events(part: bytes) -> Iterable[Message]:
    """A watch's events, of which a part may hold several lines."""
    return [line.decode() for line in part.splitlines()]


def as_bytes(part: bytes) -> Iterable[Message]:
    return [part]


def as_base64(part: bytes) -> Iterable[Message]:
    return [base64.b64encode(part).decode()]


PIECES: Mapping[str, Framing] = {"": as_bytes, "binary.k8s.io": as_bytes, "base64.binary.k8s.io": as_base64}
"""What a log may be spoken in, by the protocol's name; without one, bytes."""


def wanted(request: Request) -> bool:
    return TAKE_KEY in request.scope and request.header(b"upgrade").lower() == "websocket"


class Socket:
    """A client's connection from its request for a WebSocket on."""

    def __init__(self, client: Taken, framing: Framing) -> None:
        self._client = client
        self._framing = framing
        self._ending = False
        self._gone = asyncio.Event()

    @classmethod
    async def accept(cls, request: Request, protocols: Mapping[str, Framing]) -> Socket:
        """Raises BadRequest when the client speaks none of `protocols`."""
        key = request.header(b"sec-websocket-key")
        if not key:
            raise BadRequest("a WebSocket needs a Sec-WebSocket-Key")
        offered = [name.strip() for name in request.header(b"sec-websocket-protocol").split(",") if name.strip()]
        chosen = next((name for name in offered if name in protocols), "")
        if offered and not chosen:
            ours = sorted(name for name in protocols if name)
            raise BadRequest(f"unable to negotiate protocol: client supports {offered}, server accepts {ours}")
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines.append(f"Sec-WebSocket-Accept: {_accepted(key)}")
        lines += [f"Sec-WebSocket-Protocol: {chosen}"] if chosen else []
        socket = cls(request.scope[TAKE_KEY](), protocols[chosen])
        await socket._client.write("\r\n".join([*lines, "", ""]).encode())
        return socket

    async def send(self, part: bytes) -> None:
        for message in self._framing(part):
            await self._client.write(_message(message))

    async def end(self) -> None:
        """Say that this was all, and let the client hang up; somebody must be waiting for it to have `left`."""
        self._ending = True
        await self._client.write(_frame(_CLOSE, _NORMAL))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), LINGER)
        self.close()

    def close(self) -> None:
        self._client.close()

    async def left(self) -> None:
        """Returns when the client has gone, or says that it goes."""
        try:
            while (said := await self._read())[0] != _CLOSE:
                if said[0] == _PING:
                    await self._client.write(_frame(_PONG, said[1]))
            if not self._ending:
                await self._client.write(_frame(_CLOSE, said[1]))
        except asyncio.IncompleteReadError:
            return
        finally:
            self._gone.set()

    async def _read(self) -> tuple[int, bytes]:
        """A frame's kind, and what it says if that is short: anything long is of no interest here."""
        reader = self._client.reader
        first, second = await reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
        mask = await reader.readexactly(4) if second & 0x80 else bytes(4)
        if size > 125:
            while size:
                size -= len(await reader.readexactly(min(size, 65536)))
            return first & 0x0F, b""
        said = await reader.readexactly(size)
        return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(said))


def _accepted(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def _message(said: Message) -> bytes:
    return _frame(_TEXT, said.encode()) if isinstance(said, str) else _frame(_BINARY, said)


def _frame(kind: int, data: bytes) -> bytes:
    size = len(data)
    if size <= 125:
        head = struct.pack("!BB", _FINAL | kind, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FINAL | kind, 126, size)
    else:
        head = struct.pack("!BBQ", _FINAL | kind, 127, size)
    return head + data
