"""A client's request passed on to another server: which of its headers and of the answer's go along, and how."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from apiserver.remote import upgrade
from apiserver.remote.address import Address
from apiserver.remote.answer import Answer, BrokenAnswer
from apiserver.remote.failure import describe_dial
from apiserver.remote.line import Line, head, opened
from daemon.log import logger

if TYPE_CHECKING:
    from apiserver.endpoints.http import Request
    from apiserver.endpoints.state import State

log = logger(__name__)

HOP_BY_HOP = frozenset(
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
_DROPPED = HOP_BY_HOP | {"host", "content-length", "expect"}
_IN_PATH = "/:@!$&'()*+,;=-._~"
"""What need not be escaped in a path (RFC 3986)."""
_REFUSAL_LIMIT = 64 * 1024
Headers = Sequence[tuple[str, str]]


class Unreachable(Exception):
    """The other server could not be asked; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The other server: by TLS if there is a context, as `name`."""

    address: Address
    context: ssl.SSLContext | None = None
    name: str = ""


def is_identity(name: str) -> bool:
    """Whether a header, by its lower-case name, says who asks: what a client sends of these is never passed on."""
    return name.startswith(("x-remote-", "impersonate-")) or name == "authorization"


def kept_headers(request: Request) -> list[tuple[str, str]]:
    """The client's headers that are meant for the other server."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
    dropped = {*_DROPPED, *(word.strip().lower() for word in request.header(b"connection").split(","))}
    kept = [(name, value) for name, value in headers if name not in dropped and not is_identity(name)]
    if client := request.scope.get("client"):
        kept.append(("X-Forwarded-For", str(client[0])))
    return kept


def target(request: Request, path: str) -> str:
    """A path, as it was read when it was decided that the client may ask, and the client's query."""
    query = request.scope["query_string"].decode("latin-1")
    return f"{quote(path, safe=_IN_PATH)}{'?' if query else ''}{query}"


def answer_headers(answer: Answer, dropped: Iterable[str] = HOP_BY_HOP) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in answer.headers if name.decode("latin-1") not in dropped]


async def start(request: Request, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    """Begin an answer that is the other server's."""
    request.status = status
    await request.send({"type": "http.response.start", "status": status, "headers": headers})


async def forward(state: State, request: Request, to: Backend, where: str, headers: Headers, host: str = "") -> None:
    """Answer `request` with what the other server answers at `where`, as `host`.

    Raises Unreachable before it has begun to.
    """
    protocol = upgrade.wanted(request)
    sent = [("Host", host or str(to.address)), *headers]
    try:
        async with opened(to.address, to.context, to.name) as line:
            if protocol:
                await line.send(head(request.method, where, [*sent, ("Connection", "Upgrade"), ("Upgrade", protocol)]))
                await line.answer.begin()
                if line.answer.switches:
                    await upgrade.carry(request, line, state.stopping)
                else:
                    await _refused(request, line.answer)
            else:
                await _exchange(state, request, line, where, sent)
    except (OSError, TimeoutError, ValueError, BrokenAnswer) as error:
        if request.status:
            log.warning("an answer that was passed on broke off", path=request.path, why=str(error))
            request.cut_off()
            return
        raise Unreachable(describe_dial(error, to.address, to.name)) from error


async def _refused(request: Request, answer: Answer) -> None:
    """Another answer than the agreement: told as it is, and the connection ends with it."""
    body = await answer.read(_REFUSAL_LIMIT)
    headers = answer_headers(answer, HOP_BY_HOP | {"content-length"})
    _note(request, answer)
    await start(request, answer.status, [*headers, (b"content-length", str(len(body)).encode())])
    await request.stream(body)
    await request.end_stream()


async def _exchange(state: State, request: Request, line: Line, where: str, headers: Headers) -> None:
    """The body goes up while the answer comes down: either may be endless."""
    length = request.header(b"content-length")
    chunked = not length and bool(request.header(b"transfer-encoding"))
    framing = [("Content-Length", length)] if length else [("Transfer-Encoding", "chunked")] if chunked else []
    await line.send(head(request.method, where, [*headers, *framing, ("Connection", "close")]))
    sending = asyncio.create_task(_send(request, line, chunked=chunked), name="proxy: body")
    answering = asyncio.create_task(_answer(request, line.answer), name="proxy: answer")
    stopping = asyncio.create_task(state.stopping.wait(), name="proxy: server stopping")
    tasks = (sending, answering, stopping)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
        elif sending.done():
            sending.result()
        else:
            request.cut_off()  # this server ends in the midst of it
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(request: Request, line: Line, *, chunked: bool) -> None:
    """Send the body, then wait for the client to go: raises Disconnected. Never returns by itself."""
    try:
        async for piece in request.pieces():
            await line.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            await line.send(b"0\r\n\r\n")
    except OSError as error:  # it reads no more of the body; its answer says why
        log.debug("a body was not taken to its end", path=request.path, why=str(error))
    await request.left()


async def _answer(request: Request, answer: Answer) -> None:
    await answer.begin()
    _note(request, answer)
    await start(request, answer.status, answer_headers(answer))
    if request.method != "HEAD":
        async for piece in answer.pieces():
            await request.stream(piece)
    await request.end_stream()


def _note(request: Request, answer: Answer) -> None:
    if request.audit is not None:
        request.audit.started(answer.status)
