"""Kept connections: used again, found closed, never mixed up, however the answers are cut; by httpx and beside it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import pytest
import uvloop

from client.kubeconfig import Config
from client.transport import Transport
from client.wire import Response, Unreachable
from cluster.pki import Authority, Pair, Subject

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Plays a script to each connection, and counts them."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.connections, self.url = talk, 0, ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


class Way:
    """One of the two ways of a transport's requests, with the same behaviour."""

    def __init__(self, transport: Transport, hot: bool) -> None:
        self.transport, self.hot = transport, hot

    async def send(
        self, method: str, target: str, body: bytes | None = None, timeout: float = 5, **headers: str
    ) -> Response:
        return await self.transport.send(method, target, headers, body, timeout, hot=self.hot)

    async def get(self, target: str = "/x", timeout: float = 5) -> Response:
        return await self.send("GET", target, timeout=timeout)


@pytest.fixture(params=[False, True], ids=["httpx", "bare"])
def hot(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@asynccontextmanager
async def serving(talk: Talk, hot: bool = False) -> AsyncIterator[tuple[Server, Way]]:
    server = Server(talk)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    transport = Transport(Config(server.url), connections=4)
    try:
        yield server, Way(transport, hot)
    finally:
        await transport.close()
        listener.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
    return head.split(" ")[1], await reader.readexactly(length)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        target, body = await read_request(reader)
        answer = target.encode() + b" " + body
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Thing: a\r\n\r\n%s" % (len(answer), answer))


async def test_a_connection_is_used_again(hot: bool) -> None:
    async with serving(echo, hot) as (server, way):
        for number in range(5):
            answer = await way.send("POST", f"/{number}", b"body")
            assert (answer.status, answer.body) == (200, b"/%d body" % number)
            assert answer.headers["x-thing"] == "a"
        assert server.connections == 1


async def test_many_at_once_share_a_few_connections_and_get_their_own_answers(hot: bool) -> None:
    async with serving(echo, hot) as (server, way):
        answers = await asyncio.gather(*(way.get(f"/{number}") for number in range(50)))
        assert [answer.body for answer in answers] == [b"/%d " % number for number in range(50)]
        assert server.connections <= 4


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_an_answer_may_come_in_pieces(size: int, hot: bool) -> None:
    whole = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n6\r\npedia \r\n0\r\n\r\n"
    )

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            for start in range(0, len(whole), size):
                writer.write(whole[start : start + size])
                await writer.drain()
                await asyncio.sleep(0)

    async with serving(talk, hot) as (server, way):
        for _ in range(3):
            answer = await way.get()
            assert (answer.status, answer.body) == (201, b"Wikipedia ")
        assert server.connections == 1


async def test_an_answer_may_end_with_the_connection(hot: bool) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")

    async with serving(talk, hot) as (server, way):
        for _ in range(3):
            assert (await way.get()).body == b"ok"
        assert server.connections == 3


def closing_after(requests: int) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(requests):
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await read_request(reader)  # reads the next one, and never answers it

    return talk


async def test_a_read_on_a_connection_that_the_server_gave_up_is_sent_again(hot: bool) -> None:
    async with serving(closing_after(1), hot) as (server, way):
        for _ in range(3):
            assert (await way.get()).body == b"ok"
        assert server.connections == 3


async def test_a_write_is_not_sent_twice(hot: bool) -> None:
    async with serving(closing_after(1), hot) as (_, way):
        assert (await way.send("POST", "/x", b"1")).body == b"ok"
        with pytest.raises(Unreachable, match="disconnected"):
            await way.send("POST", "/x", b"2")
        assert (await way.send("POST", "/x", b"3")).body == b"ok"


async def test_a_closed_idle_connection_is_not_used(hot: bool) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with serving(talk, hot) as (server, way):
        for _ in range(3):
            assert (await way.send("POST", "/x", b"1")).body == b"ok"
            await asyncio.sleep(0.02)  # the server's farewell arrives
        assert server.connections == 3


async def test_an_answer_that_breaks_off_is_unreachable_and_not_repeated(hot: bool) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nok")

    async with serving(talk, hot) as (server, way):
        with pytest.raises(Unreachable):
            await way.get()
        assert server.connections == 1


async def test_what_is_not_http_is_unreachable(hot: bool) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"SSH-2.0-OpenSSH\r\n")

    async with serving(talk, hot) as (_, way):
        with pytest.raises(Unreachable, match="not HTTP"):
            await way.get()


async def test_a_late_answer_is_not_taken_for_the_next_ones(hot: bool) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            target, _ = await read_request(reader)
            await asyncio.sleep(0.1 if target == "/slow" else 0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(target), target.encode()))

    async with serving(talk, hot) as (server, way):
        with pytest.raises(Unreachable, match="no answer in time"):
            await way.get("/slow", timeout=0.02)
        await asyncio.sleep(0.15)
        assert (await way.get("/next")).body == b"/next"
        assert server.connections == 2


async def test_headers_and_paths_cannot_carry_a_second_request(hot: bool) -> None:
    async with serving(echo, hot) as (_, way):
        with pytest.raises(ValueError, match="control character"):
            await way.send("GET", "/x", A="b\r\nGET /evil HTTP/1.1")
        with pytest.raises(ValueError, match="line break"):
            await way.get("/x\r\nGET /evil")
        assert (await way.get()).body == b"/x "


async def test_both_ways_have_the_same_connections() -> None:
    async with serving(echo) as (server, way):
        for hot in (False, True, False, True):
            assert (await Way(way.transport, hot).get()).body == b"/x "
        assert server.connections == 1


@pytest.mark.parametrize("target", ["/a%2Fb?x=1%2B2+3&y=%3D%26", "/a,(b)?x=a+in+%28b%2Cc%29%2C%21d", "/%C3%BC:x"])
async def test_a_path_and_its_query_mean_the_same_when_they_arrive(target: str, hot: bool) -> None:
    def meaning(url: str) -> tuple[list[str], list[tuple[str, str]]]:
        path, _, query = url.partition("?")
        return [unquote(part) for part in path.split("/")], parse_qsl(query)

    async with serving(echo, hot) as (_, way):
        assert meaning((await way.get(target)).body.decode().strip()) == meaning(target)


async def test_a_fast_stream_waits_for_its_reader() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n")
        for _ in range(300):
            writer.write(b"x" * 100_000)
            await writer.drain()

    async with serving(talk) as (_, way), way.transport.stream("GET", "/x", {}, None, 5) as stream:
        await asyncio.sleep(0.3)
        sizes = []
        async for chunk in stream.chunks:
            sizes.append(len(chunk))
            await asyncio.sleep(0)
        assert sum(sizes) == 30_000_000
        assert max(sizes) < 4_000_000


@asynccontextmanager
async def serving_tls(talk: Talk, folder: Path) -> AsyncIterator[tuple[int, Path]]:
    """Yields the port and the authority's certificate."""
    authority = Authority(folder, "ca")
    pair = Pair(folder / "server.crt", folder / "server.key")
    authority.issue(pair, Subject("server", hosts=("127.0.0.1",)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    listener = await asyncio.start_server(Server(talk).serve, "127.0.0.1", 0, ssl=context)
    try:
        yield listener.sockets[0].getsockname()[1], authority.pair.certificate
    finally:
        listener.close()


def on_the_daemons_event_loop(work: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def test_it_works_over_tls(tmp_path: Path, hot: bool) -> None:
    async def work() -> None:
        async with serving_tls(echo, tmp_path) as (port, ca):
            right = Transport(Config(f"https://127.0.0.1:{port}", ca_file=ca))
            for _ in range(3):
                assert (await Way(right, hot).get()).body == b"/x "
            await right.close()
            by_name = Transport(Config(f"https://localhost:{port}", ca_file=ca, tls_server_name="127.0.0.1"))
            assert (await Way(by_name, hot).get()).body == b"/x "
            await by_name.close()
            for wrong in (Config(f"https://127.0.0.1:{port}"), Config(f"https://localhost:{port}", ca_file=ca)):
                transport = Transport(wrong)
                with pytest.raises(Unreachable, match="certificate verify failed"):
                    await Way(transport, hot).get()
                await transport.close()

    on_the_daemons_event_loop(work())


def test_what_is_left_is_closed_at_once_also_over_tls(tmp_path: Path) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        ends: list[asyncio.Future[None]] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ends.append(loop.create_future())
            mine = ends[-1]
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            mine.set_result(None)

        async with serving_tls(talk, tmp_path) as (port, ca):
            transport = Transport(Config(f"https://127.0.0.1:{port}", ca_file=ca))
            async with transport.stream("GET", "/x", {}, None, 5) as stream:
                assert await anext(stream.chunks) == b"x"
            await asyncio.wait_for(ends[0], 30)
            async with transport.stream("GET", "/x", {}, None, 5), asyncio.timeout(1):
                await transport.close()
                await ends[1]

    on_the_daemons_event_loop(work())
