"""The health pages say what is wrong, and only then answer 500."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web
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

    async def extra(request: web.Request) -> web.Response:
        return web.Response(text="extra")

    async with health.serve(
        "127.0.0.1",
        0,
        {"ping": lambda: trouble["live"]},
        ready={"pods": lambda: trouble["ready"]},
        routes=[web.get("/extra", extra)],
        registry=registry,
    ) as port:
        assert await fetch(port, "/healthz") == (200, "ok")
        assert await fetch(port, "/livez?verbose") == (200, "[+]ping ok\nhealthz check passed\n")
        status, text = await fetch(port, "/readyz")
        assert status == 500
        assert text == ("[+]ping ok\n[-]pods failed: the list of pods has not arrived yet\nreadyz check failed\n")
        trouble["ready"] = None
        assert await fetch(port, "/readyz") == (200, "ok")
        trouble["live"] = "stuck"
        assert (await fetch(port, "/healthz"))[0] == 500
        status, text = await fetch(port, "/metrics")
        assert "things_total 3.0" in text
        assert await fetch(port, "/extra") == (200, "extra")
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
