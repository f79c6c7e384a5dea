"""A connection to a kubelet: one HTTP/1.1 request over TLS, the answer read piece by piece.

A client library would be the largest import of this process, for one kind of GET.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httptools

from apiserver.registry.kind import Object
from apiserver.remote.address import Address

DEFAULT_PORT = 10250
CONNECT_TIMEOUT = 10.0
_READ_SIZE = 64 * 1024
_PREFERRED = ("InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS")


class KubeletError(Exception):
    """The kubelet could not be asked."""


def location_of(node: Object) -> Address:
    """From what the node says of itself. Raises KubeletError."""
    status = node.get("status") or {}
    addresses = {each.get("type"): each.get("address") for each in status.get("addresses") or ()}
    endpoint = (status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}
    for kind in _PREFERRED:
        if addresses.get(kind):
            return Address(addresses[kind], endpoint.get("Port") or DEFAULT_PORT)
    raise KubeletError(f"no preferred addresses found; known addresses: {sorted(filter(None, addresses))}")


class KubeletClient:
    """Opens connections with the client certificate that kubelets trust."""

    def __init__(self, ca: Path | None, certificate: Path | None, key: Path | None) -> None:
        self._files = (ca, certificate, key)
        self._context: ssl.SSLContext | None = None

    @asynccontextmanager
    async def get(self, location: Address, path: str, insecure: bool = False) -> AsyncIterator[Answer]:
        """Ask for a path; the connection closes with the context. Raises KubeletError."""
        url = f"https://{location}{path}"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                reader, writer = await asyncio.open_connection(
                    location.host, location.port, ssl=self._tls(insecure), server_hostname=location.host
                )
        except (OSError, TimeoutError) as error:
            raise KubeletError(f'Get "{url}": {error or "timed out"}') from error
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {location}\r\nConnection: close\r\n\r\n".encode())
            answer = Answer(reader, url)
            await answer.begin()
            yield answer
        finally:
            writer.close()

    def _tls(self, insecure: bool) -> ssl.SSLContext:
        if insecure:
            context = self._new_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context
        if self._context is None:
            self._context = self._new_context()
        return self._context

    def _new_context(self) -> ssl.SSLContext:
        ca, certificate, key = self._files
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        if certificate is not None:
            context.load_cert_chain(str(certificate), str(key) if key else None)
        return context


class Answer:
    """An answer under way: its status, then its body in pieces."""

    def __init__(self, reader: asyncio.StreamReader, url: str) -> None:
        self.status = 0
        self._reader = reader
        self._url = url
        self._parser: Any = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._complete = False
        self._framed = False
        """Whether the answer says where it ends; one that does not ends with its connection."""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self._complete = True

    async def begin(self) -> None:
        """Read up to the end of the headers. Raises KubeletError."""
        while not self.status:
            await self._more()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, as it comes. Raises KubeletError."""
        while True:
            if self._pieces:
                joined, self._pieces = b"".join(self._pieces), []
                yield joined
            elif self._complete:
                return
            else:
                await self._more()

    async def text(self, limit: int) -> str:
        """The first `limit` bytes of the body, as text."""
        read = bytearray()
        async for piece in self.pieces():
            read += piece
            if len(read) >= limit:
                break
        return bytes(read[:limit]).decode(errors="replace")

    async def _more(self) -> None:
        try:
            data = await self._reader.read(_READ_SIZE)
            if data:
                self._parser.feed_data(data)
                return
        except (OSError, httptools.HttpParserError) as error:
            raise KubeletError(f'Get "{self._url}": {error}') from error
        if not self.status or self._framed:
            raise KubeletError(f'Get "{self._url}": the connection closed before the end of the answer')
        self._complete = True
