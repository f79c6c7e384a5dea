"""A connection to Docker that has become a container's streams: stdin one way, stdout and stderr the other.

The SDK reads such an answer through a buffered file of its own and loses what that has read ahead. So the request is
written here, on asyncio's own streams: no thread waits on any of them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from kubelet.runtime.errors import Conflict, EngineError, NotFound, Unreachable

STDOUT, STDERR = 1, 2
READ = 64 * 1024
CONNECT_TIMEOUT = 10.0
HEAD_TIMEOUT = 60.0
_HEADER = 8
_MAX_HEAD = 64 * 1024


class Hijacked:
    """The streams. `close()` it: Docker then lets go of the container's stdin."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def output(self, *, tty: bool) -> AsyncIterator[tuple[int, bytes]]:
        """Pieces of the output, each with its stream. A terminal's is all stdout."""
        frames = Frames()
        while data := await self._more():
            if tty:
                yield STDOUT, data
                continue
            for piece in frames.feed(data):
                yield piece

    async def _more(self) -> bytes:
        try:
            return await self._reader.read(READ)
        except OSError:
            return b""  # the engine has gone, and with it the output: as at its end, it is asked for what came of it

    async def write(self, data: bytes) -> None:
        """To stdin; waits while the container reads slower. Raises OSError when it reads no more."""
        self._writer.write(data)
        await self._writer.drain()

    def end_input(self) -> None:
        """Close stdin."""
        with suppress(OSError):
            self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()


class Frames:
    """Docker's frames taken apart: eight bytes of head (stream, three zeros, length), then the data."""

    def __init__(self) -> None:
        self._head = b""
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """What has come, by stream. A frame's data is passed on as it comes, in parts if need be."""
        pieces: list[tuple[int, bytes]] = []
        at = 0
        while at < len(data):
            if not self._left:
                more = data[at : at + _HEADER - len(self._head)]
                self._head += more
                at += len(more)
                if len(self._head) == _HEADER:
                    self._stream, self._left = self._head[0], int.from_bytes(self._head[4:], "big")
                    self._head = b""
                continue
            piece = data[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            pieces.append((self._stream, piece))
        return pieces


async def hijack(base: str, path: str, body: dict[str, Any] | None = None) -> Hijacked:
    """Ask Docker (`unix://…` or `tcp://…`) for a container's streams. Raises EngineError."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await _connect(base)
    except (OSError, TimeoutError) as error:
        raise Unreachable(f"Docker cannot be reached: {error or 'timed out'}") from error
    try:
        async with asyncio.timeout(HEAD_TIMEOUT):
            await _agree(reader, writer, path, body)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        writer.close()
        raise Unreachable(f"Docker has not answered: {error}") from error
    except EngineError:
        writer.close()
        raise
    return Hijacked(reader, writer)


async def _connect(base: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = urlsplit(base)
    if url.scheme in ("unix", "http+unix"):
        return await asyncio.open_unix_connection(url.path, limit=_MAX_HEAD)
    return await asyncio.open_connection(url.hostname or "localhost", url.port or 2375, limit=_MAX_HEAD)


async def _agree(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: dict[str, Any] | None
) -> None:
    """Raises EngineError for any answer but an agreement."""
    text = json.dumps(body).encode() if body is not None else b""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: docker",
        "Connection: Upgrade",
        "Upgrade: tcp",
        "Content-Type: application/json",
        f"Content-Length: {len(text)}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + text)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split(" ", 2)[1])
    if status in (101, 200):
        return
    raise await _refusal(reader, head, status)


async def _refusal(reader: asyncio.StreamReader, head: str, status: int) -> EngineError:
    text = await _body(reader, head)
    try:
        message = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        message = text.decode(errors="replace").strip() or f"Docker answered with status {status}"
    kind = {404: NotFound, 409: Conflict}.get(status, EngineError)
    return kind(message, status)


async def _body(reader: asyncio.StreamReader, head: str) -> bytes:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return await reader.readexactly(min(int(value), _MAX_HEAD))
    return b""
