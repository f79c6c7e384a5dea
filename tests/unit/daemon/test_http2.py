"""The HTTP/2 connection against a peer of the test's own that says exactly what it is told to."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daemon.grpc import http2
from daemon.grpc.calls import CallError, Unreachable
from daemon.grpc.hpack import decode, encode
from daemon.grpc.http2 import Connection, frame

OK = encode((("grpc-status", "0"),))
HEAD = b"\x88" + encode((("content-type", "application/grpc"),))
END_STREAM, END_HEADERS, PADDED, ACK = 1, 4, 8, 1


def grpc(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


class Peer:
    """The other side: reads frames, writes bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def greet(self, **settings: int) -> None:
        assert await self.reader.readexactly(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        names = {"window": 4, "frame": 5}
        self.say(frame(http2.SETTINGS, 0, 0, b"".join(struct.pack(">HI", names[n], v) for n, v in settings.items())))
        assert [kind for kind, *_ in [await self.next() for _ in range(3)]] == [
            http2.SETTINGS,
            http2.WINDOW_UPDATE,
            http2.SETTINGS,
        ]

    async def next(self) -> tuple[int, int, int, bytes]:
        """(kind, flags, stream, payload) of the next frame."""
        head = await asyncio.wait_for(self.reader.readexactly(9), 5)
        payload = await asyncio.wait_for(self.reader.readexactly(int.from_bytes(head[:3], "big")), 5)
        return head[3], head[4], int.from_bytes(head[5:], "big"), payload

    async def request(self) -> tuple[int, bytes]:
        """The stream and message of the next call, whatever pieces it comes in."""
        kind, _, stream, _ = await self.next()
        assert kind == http2.HEADERS
        message, flags = b"", 0
        while not flags & END_STREAM:
            kind, flags, _, payload = await self.next()
            assert kind == http2.DATA
            message += payload
        return stream, message[5:]

    def say(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    def answer(self, stream: int, message: bytes) -> None:
        self.say(frame(http2.HEADERS, END_HEADERS, stream, HEAD), frame(http2.DATA, 0, stream, grpc(message)))
        self.say(frame(http2.HEADERS, END_HEADERS | END_STREAM, stream, OK))


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[Connection, Peer]]:
    arrived: asyncio.Queue[Peer] = asyncio.Queue()
    server = await asyncio.start_server(lambda reader, writer: arrived.put_nowait(Peer(reader, writer)), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection("peer", "http"), "127.0.0.1", port)
    peer = await arrived.get()
    try:
        yield connection, peer
    finally:
        connection.close()
        peer.writer.close()
        server.close()


def call(connection: Connection, message: bytes = b"hello", timeout: float = 5) -> asyncio.Task[bytes]:
    return asyncio.create_task(connection.unary("/service/Method", message, timeout))


async def test_a_call_and_its_answer() -> None:
    async with talking() as (connection, peer):
        await peer.greet()
        calling = call(connection)
        kind, flags, stream, block = await peer.next()
        assert (kind, flags, stream) == (http2.HEADERS, END_HEADERS, 1)
        assert decode(block)["te"] == "trailers"
        assert await peer.next() == (http2.DATA, END_STREAM, 1, grpc(b"hello"))
        peer.answer(1, b"world")
        assert await calling == b"world"


async def test_answers_come_in_any_order_and_in_any_pieces() -> None:
    async with talking() as (connection, peer):
        await peer.greet()
        calls = [call(connection, b"%d" % number) for number in range(3)]
        requests = [await peer.request() for _ in range(3)]
        assert requests == [(1, b"0"), (3, b"1"), (5, b"2")]
        for stream, message in reversed(requests):
            peer.say(frame(http2.HEADERS, END_HEADERS, stream, HEAD))
            data = grpc(message * 1000)
            peer.say(
                frame(http2.DATA, PADDED, stream, b"\x03" + data[:500] + b"pad"),
                frame(http2.DATA, 0, stream, data[500:]),
            )
            block = frame(http2.HEADERS, END_STREAM, stream, OK[:4]) + frame(
                http2.CONTINUATION, END_HEADERS, stream, OK[4:]
            )
            for byte in block:
                peer.say(bytes((byte,)))
                await peer.writer.drain()
        assert await asyncio.gather(*calls) == [b"0" * 1000, b"1" * 1000, b"2" * 1000]


async def test_the_peers_room_is_respected() -> None:
    async with talking() as (connection, peer):
        await peer.greet(window=10)
        calling = call(connection, b"x" * 40)
        assert (await peer.next())[0] == http2.HEADERS
        assert (await peer.next())[3] == grpc(b"x" * 40)[:10]
        peer.say(frame(http2.WINDOW_UPDATE, 0, 1, struct.pack(">I", 5)))
        assert len((await peer.next())[3]) == 5
        peer.say(frame(http2.SETTINGS, 0, 0, struct.pack(">HI", 4, 1000)))
        kinds = [await peer.next() for _ in range(2)]
        assert [kind for kind, *_ in kinds] == [http2.SETTINGS, http2.DATA]
        assert (kinds[1][1], len(kinds[1][3])) == (END_STREAM, 30)
        peer.answer(1, b"")
        assert await calling == b""


async def test_a_large_message_goes_in_frames() -> None:
    async with talking() as (connection, peer):
        await peer.greet(window=1 << 20)
        peer.say(frame(http2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 20)))
        peer.say(frame(http2.PING, 0, 0, b"12345678"))
        assert await peer.next() == (http2.PING, ACK, 0, b"12345678")
        calling = call(connection, b"y" * 200_000)
        stream, message = await peer.request()
        assert len(message) == 200_000
        peer.answer(stream, b"z" * 5)
        assert await calling == b"z" * 5


async def test_a_stream_of_messages() -> None:
    async with talking() as (connection, peer):
        await peer.greet()
        stream = connection.open("/service/Watch")
        connection.send(stream, b"start")
        assert (await peer.next())[0] == http2.HEADERS
        assert await peer.next() == (http2.DATA, 0, 1, grpc(b"start"))
        both = grpc(b"one") + grpc(b"two")
        peer.say(frame(http2.HEADERS, END_HEADERS, 1, HEAD), frame(http2.DATA, 0, 1, both[:-1]))
        assert await connection.receive(stream) == b"one"
        peer.say(frame(http2.DATA, 0, 1, both[-1:]))
        assert await connection.receive(stream) == b"two"
        connection.cancel(stream)
        assert await peer.next() == (http2.RST_STREAM, 0, 1, struct.pack(">I", 8))
        with pytest.raises(CallError):
            connection.send(stream, b"late")


async def test_a_refusal_keeps_its_words() -> None:
    async with talking() as (connection, peer):
        await peer.greet()
        calling = call(connection)
        await peer.request()
        trailers = encode((("grpc-status", "3"), ("grpc-message", "too%20large")))
        peer.say(frame(http2.HEADERS, END_HEADERS | END_STREAM, 1, HEAD + trailers))
        with pytest.raises(CallError, match="INVALID_ARGUMENT: too large"):
            await calling


async def test_a_broken_connection_may_have_carried_the_call_out() -> None:
    async with talking() as (connection, peer):
        await peer.greet()
        calling = call(connection)
        await peer.request()
        peer.writer.transport.abort()
        with pytest.raises(Unreachable) as broken:
            await calling
        assert broken.value.sent
        with pytest.raises(Unreachable) as later:
            await call(connection)
        assert not later.value.sent


async def test_a_peer_that_goes_away_says_what_it_has_not_seen() -> None:
    async with talking() as (connection, peer):
        await peer.greet()
        first, second = call(connection, b"1"), call(connection, b"2")
        await peer.request()
        await peer.request()
        peer.say(frame(http2.GOAWAY, 0, 0, struct.pack(">II", 1, 0) + b"maintenance"))
        with pytest.raises(Unreachable) as unseen:
            await second
        assert not unseen.value.sent
        assert not connection.usable
        peer.answer(1, b"done")
        assert await first == b"done"


async def test_a_call_that_is_given_up_is_cancelled_at_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2, "TICK", 0.02)
    async with talking() as (connection, peer):
        await peer.greet()
        calling = call(connection, timeout=0.05)
        await peer.request()
        with pytest.raises(CallError, match="DEADLINE_EXCEEDED"):
            await calling
        assert (await peer.next())[0] == http2.RST_STREAM
        dropped = call(connection)
        await peer.request()
        dropped.cancel()
        assert (await peer.next())[:3] == (http2.RST_STREAM, 0, 3)


async def test_a_silent_peer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2, "TICK", 0.02)
    monkeypatch.setattr(http2, "PING_AFTER", 0.05)
    monkeypatch.setattr(http2, "PING_TIMEOUT", 0.2)
    async with talking() as (connection, peer):
        await peer.greet()
        calling = call(connection)
        await peer.request()
        kind, _, _, payload = await peer.next()
        assert kind == http2.PING
        peer.say(frame(http2.PING, ACK, 0, payload))
        assert (await peer.next())[0] == http2.PING
        with pytest.raises(Unreachable, match="silent"):
            await calling


@pytest.mark.parametrize(
    "nonsense",
    [
        frame(http2.HEADERS, END_HEADERS | END_STREAM, 1, b"\xff\xff\xff"),
        frame(http2.CONTINUATION, END_HEADERS, 1, OK),
        frame(http2.SETTINGS, 0, 0, b"123"),
    ],
)
async def test_nonsense_ends_the_connection(nonsense: bytes) -> None:
    async with talking() as (connection, peer):
        await peer.greet()
        calling = call(connection)
        await peer.request()
        peer.say(nonsense)
        with pytest.raises(Unreachable, match="does not speak HTTP/2"):
            await calling
        assert not connection.usable
