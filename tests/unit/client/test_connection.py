"""Kept connections: used again, found closed, never mixed up, however the answers are cut."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from client.kubeconfig import Config
from client.pool import Pool
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


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[tuple[Server, Transport]]:
    server = Server(talk)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    transport = Transport(Config(server.url), connections=4)
    try:
        yield server, transport
    finally:
        await transport.close()
        listener.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
    return head.split(" ")[1], await reader.readexactly(length)


async def get(transport: Transport, target: str = "/x", timeout: float = 5) -> Response:
    return await transport.send("GET", target, {"Accept": "*/*"}, None, timeout)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        target, body = await read_request(reader)
        answer = target.encode() + b" " + body
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Thing: a\r\n\r\n%s" % (len(answer), answer))


async def test_a_connection_is_used_again() -> None:
    async with serving(echo) as (server, transport):
        for number in range(5):
            answer = await transport.send("POST", f"/{number}", {}, b"body", 5)
            assert (answer.status, answer.body) == (200, b"/%d body" % number)
            assert answer.headers["x-thing"] == "a"
        assert server.connections == 1


async def test_many_at_once_share_a_few_connections_and_get_their_own_answers() -> None:
    async with serving(echo) as (server, transport):
        answers = await asyncio.gather(*(get(transport, f"/{number}") for number in range(50)))
        assert [answer.body for answer in answers] == [b"/%d " % number for number in range(50)]
        assert server.connections <= 4


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_an_answer_may_come_in_pieces(size: int) -> None:
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

    async with serving(talk) as (server, transport):
        for _ in range(3):
            answer = await get(transport)
            assert (answer.status, answer.body) == (201, b"Wikipedia ")
        assert server.connections == 1


async def test_an_answer_may_end_with_the_connection() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")

    async with serving(talk) as (server, transport):
        for _ in range(3):
            assert (await get(transport)).body == b"ok"
        assert server.connections == 3


def closing_after(requests: int) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(requests):
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await read_request(reader)  # reads the next one, and never answers it

    return talk


async def test_a_read_on_a_connection_that_the_server_gave_up_is_sent_again() -> None:
    async with serving(closing_after(1)) as (server, transport):
        for _ in range(3):
            assert (await get(transport)).body == b"ok"
        assert server.connections == 3


async def test_a_write_is_not_sent_twice() -> None:
    async with serving(closing_after(1)) as (_, transport):
        assert (await transport.send("POST", "/x", {}, b"1", 5)).body == b"ok"
        with pytest.raises(Unreachable, match="closed the connection"):
            await transport.send("POST", "/x", {}, b"2", 5)
        assert (await transport.send("POST", "/x", {}, b"3", 5)).body == b"ok"


async def test_a_closed_idle_connection_is_not_used() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with serving(talk) as (server, transport):
        for _ in range(3):
            assert (await transport.send("POST", "/x", {}, b"1", 5)).body == b"ok"
            await asyncio.sleep(0.02)  # the server's farewell arrives
        assert server.connections == 3


async def test_an_answer_that_breaks_off_is_unreachable_and_not_repeated() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nok")

    async with serving(talk) as (server, transport):
        with pytest.raises(Unreachable):
            await get(transport)
        assert server.connections == 1


async def test_what_is_not_http_is_unreachable() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"SSH-2.0-OpenSSH\r\n")

    async with serving(talk) as (_, transport):
        with pytest.raises(Unreachable, match="not HTTP"):
            await get(transport)


async def test_a_late_answer_is_not_taken_for_the_next_ones() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            target, _ = await read_request(reader)
            await asyncio.sleep(0.1 if target == "/slow" else 0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(target), target.encode()))

    async with serving(talk) as (server, transport):
        with pytest.raises(Unreachable, match="no answer in time"):
            await get(transport, "/slow", timeout=0.02)
        await asyncio.sleep(0.15)
        assert (await get(transport, "/next")).body == b"/next"
        assert server.connections == 2


async def test_headers_cannot_carry_a_second_request() -> None:
    async with serving(echo) as (_, transport):
        with pytest.raises(ValueError, match="line break"):
            await transport.send("GET", "/x", {"A": "b\r\nGET /evil HTTP/1.1"}, None, 5)
        with pytest.raises(ValueError, match="line break"):
            await transport.send("GET", "/x\r\n", {}, None, 5)


async def test_old_idle_connections_are_closed() -> None:
    async with serving(echo) as (server, _):
        pool = Pool(Config(server.url), 4)
        await asyncio.gather(*(pool.send("GET", "/x", {}, None) for _ in range(4)))
        assert server.connections == 4
        for connection in list(pool._idle)[:3]:
            connection.idle_since -= 3600
        await pool.send("GET", "/x", {}, None)
        assert (len(pool._idle), len(pool._all)) == (1, 1)
        await pool.close()


async def test_a_fast_stream_waits_for_its_reader() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n")
        for _ in range(300):
            writer.write(b"x" * 100_000)
            await writer.drain()

    async with serving(talk) as (_, transport), transport.stream("GET", "/x", {}, None, 5) as stream:
        await asyncio.sleep(0.3)
        sizes = []
        async for chunk in stream.chunks:
            sizes.append(len(chunk))
            await asyncio.sleep(0)
        assert sum(sizes) == 30_000_000
        assert max(sizes) < 4_000_000


def test_it_works_over_tls_on_the_daemons_event_loop(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    pair = Pair(tmp_path / "server.crt", tmp_path / "server.key")
    authority.issue(pair, Subject("server", hosts=("127.0.0.1",)))

    async def work() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        server = Server(echo)
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
        port = listener.sockets[0].getsockname()[1]
        for name, ca in (("127.0.0.1", authority.pair.certificate), ("localhost", None)):
            config = Config(f"https://{name}:{port}", ca_file=ca)
            transport = Transport(config)
            if ca is None:
                with pytest.raises(Unreachable, match="certificate verify failed"):
                    await get(transport)
            else:
                for _ in range(3):
                    assert (await get(transport)).body == b"/x "
            await transport.close()
        listener.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())
