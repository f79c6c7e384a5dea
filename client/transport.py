"""Requests to one API server, and `Unreachable` for everything that a network can do to them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from client.kubeconfig import Config
from client.pool import Pool
from client.wire import Response, Stream, Unreachable

_FAILURES = (OSError, asyncio.TimeoutError, ssl.SSLError)


class Transport:
    """Keeps up to `connections` connections open for whole requests; opens none before the first request."""

    def __init__(self, config: Config, connections: int = 64) -> None:
        self._config = config
        self._connections = connections
        self._opened: Pool | None = None

    @property
    def _pool(self) -> Pool:
        if self._opened is None:
            self._opened = Pool(self._config, self._connections)
        return self._opened

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> Response:
        """One request, with path and query in `target`, and its whole answer within `timeout` seconds."""
        pool = self._pool
        try:
            async with asyncio.timeout(timeout):
                return await pool.send(method, target, headers, body)
        except _FAILURES as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, silence: float | None
    ) -> AsyncIterator[Stream]:
        """The same, with the answer as it comes. More than `silence` seconds without a byte is Unreachable."""
        pool = self._pool
        head = pool.head(method, target, headers, body)
        try:
            connection = await pool.stream()
        except _FAILURES as error:
            raise self._unreachable(error) from error
        try:
            try:
                stream = await connection.open(head, body, silence)
            except _FAILURES as error:
                raise self._unreachable(error) from error
            yield replace(stream, chunks=self._chunks(stream))
        finally:
            pool.drop(connection)

    async def _chunks(self, stream: Stream) -> AsyncIterator[bytes]:
        try:
            async for chunk in stream.chunks:
                yield chunk
        except _FAILURES as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: BaseException) -> Unreachable:
        why = "no answer in time" if isinstance(error, asyncio.TimeoutError) else str(error) or type(error).__name__
        return Unreachable(f"{self._config.server}: {why}")

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
            self._opened = None
