"""The commands' transport: httpx, which is there in a tenth of a second."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from client.kubeconfig import Config
from client.transport import CONNECT_TIMEOUT, Response, Stream, Unreachable

_FAILURES = (httpx.HTTPError, OSError, ssl.SSLError)


class HttpxTransport:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._client = httpx.AsyncClient(
            base_url=config.server, verify=config.ssl_context() or False, trust_env=False, follow_redirects=False
        )
        name = config.tls_server_name
        self._extensions = {"sni_hostname": name} if name else {}

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> Response:
        limits = httpx.Timeout(timeout, connect=CONNECT_TIMEOUT)
        try:
            answer = await self._client.request(
                method, target, headers=headers, content=body, timeout=limits, extensions=self._extensions
            )
        except _FAILURES as error:
            raise self._unreachable(error) from error
        return Response(answer.status_code, answer.headers, answer.content)

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, silence: float | None
    ) -> AsyncIterator[Stream]:
        limits = httpx.Timeout(silence, connect=CONNECT_TIMEOUT)
        request = self._client.build_request(
            method, target, headers=headers, content=body, timeout=limits, extensions=self._extensions
        )
        try:
            answer = await self._client.send(request, stream=True)
        except _FAILURES as error:
            raise self._unreachable(error) from error
        try:
            yield Stream(answer.status_code, answer.headers, self._chunks(answer))
        finally:
            await answer.aclose()

    async def _chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_bytes():
                yield chunk
        except _FAILURES as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: BaseException) -> Unreachable:
        return Unreachable(f"{self._config.server}: {str(error) or type(error).__name__}")

    async def close(self) -> None:
        await self._client.aclose()
