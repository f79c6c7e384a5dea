"""A connection to a kubelet: one HTTP/1.1 request over TLS, the answer read piece by piece.

A client library would be the largest import of this process, for one kind of GET.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from apiserver.registry.kind import Object
from apiserver.remote.address import Address
from apiserver.remote.answer import Answer, BrokenAnswer
from apiserver.remote.failure import describe_dial
from apiserver.remote.line import head, opened
from apiserver.remote.passing import Backend

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

    def backend(self, location: Address) -> Backend:
        """A kubelet to pass a request on to."""
        return Backend(location, self._tls(insecure=False))

    @asynccontextmanager
    async def get(self, location: Address, path: str, insecure: bool = False) -> AsyncIterator[Answer]:
        """Ask for a path; the connection closes with the context. Raises KubeletError."""
        url = f"https://{location}{path}"
        try:
            async with opened(location, self._tls(insecure), seconds=CONNECT_TIMEOUT) as line:
                await line.send(head("GET", path, [("Host", str(location)), ("Connection", "close")]))
                await line.answer.begin()
                yield line.answer
        except (OSError, TimeoutError, BrokenAnswer) as error:
            raise KubeletError(f'Get "{url}": {describe_dial(error, location)}') from error

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
