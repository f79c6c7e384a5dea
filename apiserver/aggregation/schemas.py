"""What other servers' groups look like: their OpenAPI documents, kept here so that clients find all in one place.

A server says in its index under which address, with a hash in it, its document is; what is known is not read again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from apiserver.aggregation.proxy import Proxy, Unreachable
from daemon.log import logger

if TYPE_CHECKING:
    from apiserver.aggregation.directory import Remote

log = logger(__name__)

INDEX = "/openapi/v3"
SECONDS = 10.0


@dataclass(frozen=True)
class Foreign:
    """A group and version's document of version 3, as another server wrote it."""

    path: str
    source: str
    body: bytes
    hash: str

    @property
    def url(self) -> str:
        return f"{INDEX}/{self.path}?hash={self.hash}"

    def write(self) -> bytes:
        return self.body


class Schemas:
    """The documents of the remote groups, by APIService."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.documents: dict[str, Foreign] = {}
        self.generation = 0
        """Grows when a document changes."""

    def forget(self, name: str) -> None:
        if self.documents.pop(name, None) is not None:
            self.generation += 1

    async def refresh(self, remote: Remote) -> None:
        """Read a server's document, if it has one and it is new. Whoever has none is served without."""
        path = remote.path.strip("/")
        try:
            source = await self._source(remote, path)
            known = self.documents.get(remote.name)
            if known is not None and known.source == source:
                return
            body = await self._read(remote, source) if source else b""
        except (Unreachable, ValueError) as error:
            log.warning("a server behind an APIService does not show its schema", name=remote.name, why=str(error))
            return
        if not body:
            self.forget(remote.name)
            return
        self.documents[remote.name] = Foreign(path, source, body, hashlib.sha512(body).hexdigest().upper())
        self.generation += 1

    async def _source(self, remote: Remote, path: str) -> str:
        """The address of the document, on that server; empty without one. Raises Unreachable, ValueError."""
        answer = await self._proxy.get(remote, INDEX, SECONDS)
        if answer.status != 200:
            return ""
        source = _place(orjson.loads(answer.body), path)
        parts = urlsplit(source)
        if parts.netloc or (source and not parts.path.startswith("/")):
            raise ValueError(f"the address of its document is not its own: {source}")
        return source

    async def _read(self, remote: Remote, source: str) -> bytes:
        """Raises Unreachable, ValueError."""
        answer = await self._proxy.get(remote, source, SECONDS)
        if answer.status != 200:
            return b""
        orjson.loads(answer.body)
        return answer.body


def _place(index: Any, path: str) -> str:
    """Where an index says that the document of `path` is, if it says so."""
    for key in ("paths", path, "serverRelativeURL"):
        index = index.get(key) if isinstance(index, dict) else None
    return index if isinstance(index, str) else ""
