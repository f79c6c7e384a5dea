"""A request passed on to the server that answers for its group, and the answer passed back as it comes.

Nothing is held back: a watch is an answer that does not end.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from api.errors import StatusError
from apiserver.aggregation.identity import ProxyIdentity, headers_for, is_identity
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.http import Disconnected, Request
from apiserver.remote import services, tls
from apiserver.remote.failure import describe
from daemon.log import logger

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from apiserver.aggregation.directory import Remote
    from apiserver.endpoints.state import State

log = logger(__name__)

TEXT = b"text/plain; charset=utf-8"
CONNECT_TIMEOUT = 30.0
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_DROPPED = _HOP_BY_HOP | {"host", "content-length"}
_IN_PATH = "/:@!$&'()*+,;=-._~"
"""What need not be escaped in a path (RFC 3986)."""
AGGREGATOR = User("system:kube-aggregator", (MASTERS,))
"""Who asks when it is this server itself."""


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
            answer = await self._ask(request, remote)
        except StatusError:
            await _refuse(request, "service unavailable")
        except Unreachable as error:
            await _refuse(request, f"error trying to reach service: {error}")
        else:
            async with answer:
                await self._pass_on(request, answer)

    async def get(self, remote: Remote, path: str, seconds: float, accept: str = "application/json") -> Answered:
        """Ask on this server's own behalf. Raises Unreachable."""
        url = f"https://{remote.host}:{remote.port}{path}"
        headers = [*headers_for(AGGREGATOR), ("Accept", accept)]
        try:
            url = f"https://{self._resolve(remote)}{path}"
            async with asyncio.timeout(seconds), await self._open("GET", url, headers, remote, None) as answer:
                return Answered(url, answer.status, await answer.read())
        except StatusError as error:
            raise Unreachable(str(error), url) from error
        except TimeoutError as error:
            raise Unreachable("context deadline exceeded", url) from error

    def _resolve(self, remote: Remote) -> services.Address:
        """Raises StatusError."""
        return services.resolve(self._state, remote.namespace, remote.service, remote.port)

    async def _ask(self, request: Request, remote: Remote) -> ClientResponse:
        headers = [*_passed_on(request), *headers_for(request.user)]
        if client := request.scope.get("client"):
            headers.append(("X-Forwarded-For", str(client[0])))
        body = None if request.method in _BODILESS else await request.body()
        # The path as it was read when it was decided that the client may ask: what was escaped there stays data here.
        query = request.scope["query_string"].decode("latin-1")
        url = f"https://{self._resolve(remote)}{quote(request.path, safe=_IN_PATH)}{'?' if query else ''}{query}"
        return await self._open(request.method, url, headers, remote, body)

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
        kept = [(name, value) for name, value in headers if name.decode("latin-1") not in _HOP_BY_HOP]
        request.status = answer.status
        await request.send({"type": "http.response.start", "status": answer.status, "headers": kept})
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


def _passed_on(request: Request) -> list[tuple[str, str]]:
    """The client's headers that are meant for the other server."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
    dropped = {*_DROPPED, *(word.strip().lower() for word in request.header(b"connection").split(","))}
    return [(name, value) for name, value in headers if name not in dropped and not is_identity(name)]


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
