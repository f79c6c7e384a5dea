"""The health pages say what is wrong, and only then answer 500."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from daemon import health
from daemon.fatal import Fatal


async def fetch(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_pages() -> None:
    trouble: dict[str, str | None] = {"live": None, "ready": "the list of pods has not arrived yet"}
    registry = CollectorRegistry()
    Counter("things", "Things that happened", registry=registry).inc(3)

    async with health.serve(
        "127.0.0.1",
        0,
        {"ping": lambda: trouble["live"]},
        ready={"pods": lambda: trouble["ready"]},
        registry=registry,
    ) as port:
        assert await fetch(port, "/healthz") == (200, "ok")
        assert await fetch(port, "/livez?verbose") == (200, "[+]ping ok\nlivez check passed\n")
        status, text = await fetch(port, "/readyz")
        assert status == 500
        assert text == ("[+]ping ok\n[-]pods failed: the list of pods has not arrived yet\nreadyz check failed\n")
        trouble["ready"] = None
        assert await fetch(port, "/readyz") == (200, "ok")
        trouble["live"] = "stuck"
        assert (await fetch(port, "/healthz"))[0] == 500
        status, text = await fetch(port, "/metrics")
        assert "things_total 3.0" in text
        assert (await fetch(port, "/else"))[0] == 404


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:10259", ("127.0.0.1", 10259)), ("[::1]:80", ("::1", 80)), (":8080", ("", 8080))],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert health.split_bind(text) == expected


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3.4:port", "1.2.3.4:70000"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(Fatal, match="is not an address to listen on"):
        health.split_bind(text)


async def raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


async def test_odd_requests_are_answered_and_do_no_harm() -> None:
    async with health.serve("127.0.0.1", 0, {"ping": lambda: None}) as port:
        assert (await raw(port, b"nonsense\r\n\r\n")).split()[1] == b"400"
        assert (await raw(port, b"POST /healthz HTTP/1.0\r\n\r\n")).split()[1] == b"405"
        assert (await raw(port, b"HEAD /healthz HTTP/1.0\r\n\r\n")).endswith(b"\r\n\r\n")
        assert (await raw(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 100_000)).split()[1] == b"400"
        both = await raw(port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.0\r\n\r\n")
        assert both.count(b"\r\n\r\nok") == 2
        assert await fetch(port, "/healthz") == (200, "ok")


async def test_a_taken_address_is_fatal() -> None:
    async with health.serve("127.0.0.1", 0, {}) as port:
        with pytest.raises(Fatal, match=f"cannot listen on 127.0.0.1:{port}"):
            async with health.serve("127.0.0.1", port, {}):
                pass
