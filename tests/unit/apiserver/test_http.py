"""Requests and answers on bare ASGI."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import NotFound, RequestEntityTooLarge, TooManyRequests
from apiserver.endpoints.http import BODY_LIMIT, Disconnected, Message, Request, flag


class Wire:
    """What uvicorn would hand over and take."""

    def __init__(self, *incoming: Message) -> None:
        self.incoming = list(incoming)
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        return self.incoming.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def request(self, query: str = "", headers: dict[str, str] | None = None) -> Request:
        pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope: dict[str, Any] = {"method": "GET", "path": "/x", "query_string": query.encode(), "headers": pairs}
        return Request(scope, self.receive, self.send)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


def part(body: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_query_and_headers() -> None:
    request = Wire().request("a=1&b=&a=2&c=x%20y", {"accept": "application/json"})
    assert request.query == {"a": "1", "b": "", "c": "x y"}
    assert request.query_list() == [("a", "1"), ("b", ""), ("a", "2"), ("c", "x y")]
    assert (request.header(b"accept"), request.header(b"none")) == ("application/json", "")


async def test_a_body_comes_in_parts() -> None:
    assert await Wire(part(b"ab", True), part(b"c")).request().body() == b"abc"
    assert await Wire(part(b"")).request().body() == b""


async def test_a_body_has_a_limit() -> None:
    with pytest.raises(RequestEntityTooLarge):
        await Wire(part(b"x" * BODY_LIMIT, True), part(b"y")).request().body()


async def test_a_client_that_leaves_in_between() -> None:
    with pytest.raises(Disconnected):
        await Wire(part(b"ab", True), {"type": "http.disconnect"}).request().body()


async def test_warnings_are_headers() -> None:
    wire = Wire()
    request = wire.request()
    request.warnings = ['unknown field "spec.x"', "two\r\nlines\\"]
    await request.answer_status(200, {})
    warnings = [value for name, value in wire.sent[0]["headers"] if name == b"warning"]
    assert warnings == [b'299 - "unknown field \\"spec.x\\""', b'299 - "two  lines\\\\"']


async def test_a_failure_is_a_status() -> None:
    wire = Wire()
    await wire.request().fail(NotFound("pods", "x"))
    assert wire.sent[0]["status"] == 404
    assert b'"reason":"NotFound"' in wire.sent[1]["body"]
    again = Wire()
    await again.request().fail(TooManyRequests("slower", retry_after=3))
    assert again.headers[b"retry-after"] == b"3"


async def test_chunks_have_a_length_together() -> None:
    wire = Wire()
    await wire.request().answer_chunks(200, [b"ab", b"cde"], 5)
    assert wire.headers[b"content-length"] == b"5"
    assert b"".join(message["body"] for message in wire.sent[1:]) == b"abcde"


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("watch", True),
        ("watch=", True),
        ("watch=True", True),
        ("watch=0", False),
        ("watch=False", False),
        ("x=1", False),
    ],
)
def test_boolean_parameters(query: str, value: bool) -> None:
    assert flag(Wire().request(query).query, "watch") is value
