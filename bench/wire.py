"""A bare HTTP/1.1 client over TLS, so that a load generator costs little beside the server it loads.

`Target.get` and `.send` are for preparing things one at a time; `Connection` is for generators, one for each of their
clients.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Target:
    """A server and who asks it."""

    host: str
    port: int
    tls: ssl.SSLContext
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Answer:
        """One request on a connection of its own; `body` is made JSON unless it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        with closing(HTTPSConnection(self.host, self.port, timeout=60, context=self.tls)) as connection:
            connection.request(method, path, data, {**self.headers, "Content-Type": content_type})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())

    def make(self, path: str, body: Any) -> dict[str, Any]:
        """Create an object; an AssertionError if the server refuses."""
        answer = self.send("POST", path, body)
        assert answer.status in (200, 201), f"POST {path}: {answer.status} {answer.body[:300]!r}"
        made: dict[str, Any] = answer.json()
        return made


class Connection:
    """One kept-alive connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        self._reader, self._writer, self._head = reader, writer, head

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None, token: str = "") -> Connection:
        reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=2**24)
        lines = [f"Host: {host}:{port}", "Accept: application/json", "Content-Type: application/json"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        return cls(reader, writer, "".join(f"{line}\r\n" for line in lines).encode())

    async def send(self, method: str, path: str, body: bytes = b"") -> Answer:
        self._write(method, path, body)
        status, headers = await self._read_head()
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, b"".join([chunk async for chunk in self._chunks()]))
        return Answer(status, await self._reader.readexactly(int(headers.get("content-length", 0))))

    async def stream(self, method: str, path: str, body: bytes = b"") -> AsyncIterator[bytes]:
        """The chunks of an answer as they come. Raises AssertionError when refused."""
        self._write(method, path, body)
        status, _ = await self._read_head()
        assert status == 200, f"{method} {path}: {status}"
        async for chunk in self._chunks():
            yield chunk

    def close(self) -> None:
        self._writer.transport.abort()

    def _write(self, method: str, path: str, body: bytes) -> None:
        length = b"Content-Length: %d\r\n" % len(body) if body or method != "GET" else b""
        self._writer.write(b"%s %s HTTP/1.1\r\n%s%s\r\n%s" % (method.encode(), path.encode(), self._head, length, body))

    async def _read_head(self) -> tuple[int, dict[str, str]]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines if line)}
        return int(first.split(" ", 2)[1]), headers

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
            chunk = await self._reader.readexactly(size)
            await self._reader.readexactly(2)
            yield chunk
        await self._reader.readuntil(b"\r\n")
