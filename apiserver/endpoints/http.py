"""Requests and answers on bare ASGI: resource requests are too many to pay for a framework's models and routing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

from api.errors import NotAcceptable, RequestEntityTooLarge, StatusError
from apiserver.auth.user import User
from apiserver.connection import CUT_KEY
from apiserver.endpoints import compression, warning, websocket
from apiserver.endpoints.compression import THRESHOLD, takes_gzip
from apiserver.endpoints.media import encode
from apiserver.endpoints.negotiate import PLAIN, form_of

if TYPE_CHECKING:
    from apiserver.audit.event import Recorder

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

NOTHING = ("", "", "")
EVENTS = {"": websocket.events}
BODY_LIMIT = 3 * 1024 * 1024
JSON = b"application/json"
_NOT_KEPT = (b"cache-control", b"no-cache, private")


class Disconnected(Exception):
    """The client has gone before its request was complete."""


class Request:
    """One request. `user` is set once it has been authenticated."""

    __slots__ = (
        "_query",
        "_receive",
        "about",
        "audit",
        "impersonator",
        "method",
        "path",
        "scope",
        "send",
        "socket",
        "status",
        "user",
        "warnings",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.send = send
        self.user = _NOBODY
        self.impersonator: User | None = None
        """Who really asks, when it is in another's name."""
        self.audit: Recorder | None = None
        """What the audit log is told of this request, if anything."""
        self.about = NOTHING
        """Verb, group and resource, for the metrics; set once they are known."""
        self.status = 0
        """The answer's status, once it has begun."""
        self.warnings: list[str] = []
        """Sentences for the Warning header."""
        self.socket: websocket.Socket | None = None
        """Where a stream goes instead, if the client has asked for a WebSocket."""
        self._receive = receive
        self._query: dict[str, str] | None = None

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters; of one given several times, the first."""
        if self._query is None:
            self._query = {}
            for name, value in self.query_list():
                self._query.setdefault(name, value)
        return self._query

    def query_list(self) -> list[tuple[str, str]]:
        """The query parameters in order, as often as they were given."""
        text = self.scope["query_string"]
        return parse_qsl(text.decode("latin-1"), keep_blank_values=True) if text else []

    def header(self, name: bytes) -> str:
        """A header by its lower-case name; empty if it is not there."""
        for key, value in self.scope["headers"]:
            if key == name:
                return str(value.decode("latin-1"))
        return ""

    async def body(self) -> bytes:
        """The whole body. Raises RequestEntityTooLarge, Disconnected."""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > BODY_LIMIT:
                raise RequestEntityTooLarge(f"limit is {BODY_LIMIT}")
            chunks.append(chunk)
            if not message.get("more_body"):
                body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
                if self.audit is not None:
                    self.audit.asked(body, self.header(b"content-type"))
                return body

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, of any length, as it comes. Raises Disconnected."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            if piece := message.get("body", b""):
                yield piece
            more = message.get("more_body", False)

    async def left(self) -> NoReturn:
        """Waits until the client has gone, and then raises Disconnected."""
        await self.disconnected()
        raise Disconnected

    async def disconnected(self) -> None:
        """Returns when the client has gone."""
        if self.socket is not None:
            await self.socket.left()
            return
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def answer(self, status: int, body: bytes, content_type: bytes = JSON, headers: Headers = ()) -> None:
        if self.audit is not None:
            self.audit.answered(body, content_type)
        if len(body) > THRESHOLD and takes_gzip(self.header(b"accept-encoding")):
            await self._answer_gzipped(status, (body,), content_type, headers)
            return
        await self.send(self._start(status, content_type, len(body), headers))
        await self.send({"type": "http.response.body", "body": body})

    async def not_modified(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Tell the client that what it has is still true.

        Its cache takes over every header of this answer: one that describes the missing body would spoil it.
        """
        self.status = 304
        await self.send({"type": "http.response.start", "status": 304, "headers": list(headers)})
        await self.send({"type": "http.response.body", "body": b""})

    async def answer_chunks(self, status: int, chunks: Iterable[bytes], size: int, content_type: bytes = JSON) -> None:
        """Send an answer of so many bytes in parts."""
        if self.audit is not None:
            chunks = list(chunks)
            for chunk in chunks:
                self.audit.answered(chunk, content_type)
        if size > THRESHOLD and takes_gzip(self.header(b"accept-encoding")):
            await self._answer_gzipped(status, chunks, content_type, ())
            return
        await self.send(self._start(status, content_type, size, ()))
        for chunk in chunks:
            await self.stream(chunk)
        await self.end_stream()

    async def _answer_gzipped(
        self, status: int, chunks: Iterable[bytes], content_type: bytes, headers: Headers
    ) -> None:
        await self.send(self._start(status, content_type, None, (*headers, *compression.HEADERS)))
        async for chunk in compression.gzipped(chunks):
            await self.stream(chunk)
        await self.end_stream()

    async def start_stream(self, content_type: bytes, protocols: Mapping[str, websocket.Framing] = EVENTS) -> None:
        """Begin an answer in parts; `protocols` are what it may be spoken in on a WebSocket. Raises BadRequest."""
        if websocket.wanted(self):
            self.socket = await websocket.Socket.accept(self, protocols)
            self.status = 101
        if self.audit is not None:
            self.audit.started(self.status or 200)
        if self.socket is not None:
            return
        await self.send(self._start(200, content_type, None, ()))

    async def stream(self, chunk: bytes) -> None:
        if self.socket is not None:
            await self.socket.send(chunk)
            return
        await self.send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end_stream(self) -> None:
        if self.socket is not None:
            await self.socket.end()
            return
        await self.send({"type": "http.response.body", "body": b""})

    def cut_off(self) -> None:
        """Let the client see that the answer under way is not whole."""
        if self.socket is not None:
            self.socket.close()
            return
        self.scope[CUT_KEY]()

    async def fail(self, error: StatusError) -> None:
        """Tell the client. Once an answer has begun, that can only be done by breaking it off."""
        if self.audit is not None:
            self.audit.failed(error)
        if self.status:
            self.cut_off()
            return
        headers = [(b"retry-after", str(error.retry_after).encode())] if error.retry_after is not None else []
        await self.answer_status(error.code, error.status(), headers)

    async def answer_status(self, status: int, value: Any, headers: Headers = ()) -> None:
        """Answer with a Status, in the media type the client wants, or as JSON if it wants none that there is."""
        try:
            form = form_of(self.header(b"accept"))
        except NotAcceptable:
            form = PLAIN
        await self.answer(status, encode(form, value), form.content_type, headers)

    def _start(self, status: int, content_type: bytes, length: int | None, headers: Headers) -> Message:
        self.status = status
        fields = [(b"content-type", content_type)]
        if length is not None:
            fields.append((b"content-length", str(length).encode()))
        if self.audit is not None:
            fields.append((b"audit-id", self.audit.id.encode("latin-1", "replace")))
        if headers:
            fields.extend(headers)
        if not headers or all(name != b"cache-control" for name, _ in headers):
            fields.append(_NOT_KEPT)
        if self.warnings:
            fields += warning.headers(self.warnings)
        return {"type": "http.response.start", "status": status, "headers": fields}


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether a query's boolean parameter is set: there, and neither `false` nor `0` (`?watch` is true)."""
    value = query.get(name)
    return value is not None and value.lower() not in _FALSE


_FALSE = frozenset({"false", "0"})

_NOBODY = User("system:anonymous", ("system:unauthenticated",))
