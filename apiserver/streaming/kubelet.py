"""A connection to a kubelet: one HTTP/1.1 request over TLS, the answer read piece by piece.

A client library would be the largest import of this process, for one kind of GET.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from apiserver.registry.kind import Object
from apiserver.remote.address import Address
from apiserver.remote.answer import Answer, BrokenAnswer

DEFAULT_PORT = 10250
CONNECT_TIMEOUT = 10.0
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
            answer = Answer(reader)
            await answer.begin()
            yield answer
        except BrokenAnswer as error:
            raise KubeletError(f'Get "{url}": {error}') from error
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
