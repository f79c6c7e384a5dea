"""A request passed on to the server that answers for its group, and the answer passed back as it comes.

Nothing is held back: a watch is an answer that does not end.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.errors import StatusError
from apiserver.aggregation.identity import ProxyIdentity, headers_for
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.http import Disconnected, Request
from apiserver.remote import passing, services, tls, upgrade
from apiserver.remote.address import Address
from apiserver.remote.failure import describe
from apiserver.remote.limited import TooLong, whole
from daemon.log import logger

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from apiserver.aggregation.directory import Remote
    from apiserver.endpoints.state import State

log = logger(__name__)

TEXT = b"text/plain; charset=utf-8"
CONNECT_TIMEOUT = 30.0
ANSWER_TIMEOUT = 60.0
"""Seconds until an answer must begin, except to a watch."""
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
AGGREGATOR = User("system:kube-aggregator", (MASTERS,))
"""Who asks when it is this server itself."""


class Unresolved(Exception):
    """No server is behind the Service now; the sentence says why."""


class Unreachable(Exception):
    """The other server could not be asked at `url`; the sentence says why."""

    def __init__(self, why: str, url: str) -> None:
        super().__init__(why)
        self.url = url


@dataclass(frozen=True, slots=True)
class Answered:
    """What a server answered to a question of this server's own."""

    url: str
    status: int
    body: bytes


class Proxy:
    """The connections to the servers behind APIServices, made when first needed."""

    def __init__(self, state: State, identity: ProxyIdentity) -> None:
        self._state = state
        self.identity = identity
        self._session: ClientSession | None = None

    async def forward(self, request: Request, remote: Remote) -> None:
        """Answer `request` with what the other server answers."""
        if not remote.available:
            await _refuse(request, "service unavailable")
            return
        try:
            await (self._join(request, remote) if upgrade.wanted(request) else self._exchange(request, remote))
        except Unresolved:
            await _refuse(request, "service unavailable")
        except Unreachable as error:
            await _refuse(request, f"error trying to reach service: {error}")

    async def _exchange(self, request: Request, remote: Remote) -> None:
        """One request and its answer. Raises Unresolved, Unreachable before the answer has begun."""
        body = None if request.method in _BODILESS else await request.body()
        url = f"https://{self._resolve(remote)}{passing.target(request, request.path)}"
        try:
            async with asyncio.timeout(None if request.about[0] == "watch" else ANSWER_TIMEOUT):
                answer = await self._open(request.method, url, _headers(request), remote, body)
        except TimeoutError as error:
            raise Unreachable("context deadline exceeded", url) from error
        async with answer:
            await self._pass_on(request, answer)

    async def _join(self, request: Request, remote: Remote) -> None:
        """Another protocol, if the other server agrees to it. Raises Unresolved, Unreachable before anybody has."""
        address = self._resolve(remote)
        try:
            backend = passing.Backend(address, self._tls(remote), remote.host)
            where, headers = passing.target(request, request.path), _headers(request)
            await passing.forward(self._state, request, backend, where, headers, f"{remote.host}:{remote.port}")
        except (ValueError, passing.Unreachable) as error:
            raise Unreachable(str(error), f"https://{address}") from error

    async def get(self, remote: Remote, path: str, seconds: float, accept: str = "application/json") -> Answered:
        """Ask on this server's own behalf. Raises Unreachable."""
        url = f"https://{remote.host}:{remote.port}{path}"
        headers = [*headers_for(AGGREGATOR), ("Accept", accept)]
        try:
            url = f"https://{self._resolve(remote)}{path}"
            async with asyncio.timeout(seconds), await self._open("GET", url, headers, remote, None) as answer:
                return Answered(url, answer.status, await whole(answer.content))
        except (Unresolved, TooLong) as error:
            raise Unreachable(str(error), url) from error
        except TimeoutError as error:
            raise Unreachable("context deadline exceeded", url) from error

    def _resolve(self, remote: Remote) -> Address:
        """Raises Unresolved."""
        try:
            return services.resolve(self._state, remote.namespace, remote.service, remote.port)
        except StatusError as error:
            raise Unresolved(str(error)) from error

    async def _open(
        self, method: str, url: str, headers: list[tuple[str, str]], remote: Remote, body: bytes | None
    ) -> ClientResponse:
        """Send a request and wait for the head of its answer. Raises Unreachable."""
        import aiohttp  # large, and few clusters have aggregated APIs
        from yarl import URL

        sent = [*headers, ("Host", f"{remote.host}:{remote.port}")]
        try:
            options: dict[str, Any] = {"ssl": self._tls(remote), "server_hostname": remote.host}
            target = URL(url, encoded=True)
            return await self._opened().request(
                method, target, headers=sent, data=body, allow_redirects=False, **options
            )
        except aiohttp.ClientError as error:
            raise Unreachable(describe(error, remote.host), url) from error
        except (OSError, ValueError) as error:
            raise Unreachable(str(error), url) from error

    def _tls(self, remote: Remote) -> ssl.SSLContext:
        """Raises ValueError."""
        certificate, key = self.identity.certificate, self.identity.key
        if remote.insecure:
            return tls.unverified(certificate, key)
        return tls.trusting(remote.bundle, certificate, key)

    def _opened(self) -> ClientSession:
        if self._session is None:
            import aiohttp

            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=90)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=timeout,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session

    async def _pass_on(self, request: Request, answer: ClientResponse) -> None:
        headers = [(name.lower(), value) for name, value in answer.raw_headers]
        kept = [(name, value) for name, value in headers if name.decode("latin-1") not in passing.HOP_BY_HOP]
        await passing.start(request, answer.status, kept)
        copying = asyncio.create_task(_copy(request, answer), name="proxy: copy")
        leaving = asyncio.create_task(request.disconnected(), name="proxy: client leaving")
        stopping = asyncio.create_task(self._state.stopping.wait(), name="proxy: server stopping")
        tasks = (copying, leaving, stopping)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not copying.done():
                raise Disconnected
            if copying.result():
                await request.end_stream()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _headers(request: Request) -> list[tuple[str, str]]:
    """The client's headers that are meant for the other server, and who the client is."""
    return passing.kept_headers(request) + headers_for(request.user)


async def _copy(request: Request, answer: ClientResponse) -> bool:
    """Whether the answer came to its end: one that does not must not look as if it had."""
    from aiohttp import ClientError

    try:
        async for piece in answer.content.iter_any():
            await request.stream(piece)
    except ClientError as error:
        log.warning("an answer from behind an APIService broke off", path=request.path, why=str(error))
        return False
    return True


async def _refuse(request: Request, why: str) -> None:
    await request.answer(503, f"{why}\n".encode(), TEXT)
