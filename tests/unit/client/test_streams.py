"""Streams: SPDY's frames and connections, and the channels of WebSocket messages."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.streams import channels
from client.streams.channels import BadMessage, Protocol
from client.streams.dictionary import DICTIONARY
from client.streams.multiplex import BUFFERED, Connection, Stream, StreamReset
from client.streams.spdy import (
    MAX_CONTROL,
    Data,
    Event,
    Framer,
    GoAway,
    Opened,
    Ping,
    Reason,
    Replied,
    Reset,
    SpdyError,
)

numbers = st.integers(1, 0x7FFFFFFF)
words = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
headers = st.dictionaries(words.map(str.lower), words, max_size=5)
events = st.one_of(
    st.builds(Opened, numbers, headers, st.booleans()),
    st.builds(Replied, numbers, headers, st.booleans()),
    st.builds(Data, numbers, st.binary(max_size=300), st.booleans()),
    st.builds(Reset, numbers, st.sampled_from(list(Reason))),
    st.builds(Ping, numbers),
    st.builds(GoAway, numbers, st.integers(0, 3)),
)


def encode(framer: Framer, event: Event) -> bytes:
    match event:
        case Opened(number, names, fin):
            return framer.open(number, names, fin=fin)
        case Replied(number, names, fin):
            return framer.reply(number, names, fin=fin)
        case Data(number, data, fin):
            return framer.data(number, data, fin=fin)
        case Reset(number, reason):
            return framer.reset(number, Reason(reason))
        case Ping(number):
            return framer.ping(number)
        case GoAway(last, reason):
            return framer.go_away(last, reason)


def control(found: Iterable[Event]) -> list[Event]:
    return [each for each in found if not isinstance(each, Data)]


def data(found: Iterable[Event]) -> dict[int, bytes]:
    """What came on each stream."""
    seen: dict[int, bytes] = {}
    for each in found:
        if isinstance(each, Data):
            seen[each.stream] = seen.get(each.stream, b"") + each.data
    return seen


def ends(found: Iterable[Event]) -> list[int]:
    return [each.stream for each in found if isinstance(each, Data) and each.fin]


@given(st.lists(events, max_size=12), st.integers(1, 64))
def test_what_is_sent_is_what_arrives_however_it_is_cut(sent: list[Event], size: int) -> None:
    ours, theirs = Framer(), Framer()
    wire = b"".join(encode(ours, event) for event in sent)
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    found = [event for piece in pieces for event in theirs.feed(piece)]
    assert (control(found), data(found), ends(found)) == (control(sent), data(sent), ends(sent))


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read_but_never_breaks_otherwise(noise: bytes) -> None:
    with suppress(SpdyError):
        list(Framer().feed(noise))


def test_frames_as_the_specification_draws_them() -> None:
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2, "every SPDY/3 client names the dictionary by this number"
    framer = Framer()
    assert framer.data(1, b"hi", fin=True).hex() == "00000001" + "01000002" + "6869"
    assert framer.reset(3, Reason.CANCEL).hex() == "80030003" + "00000008" + "00000003" + "00000005"
    assert framer.ping(2).hex() == "80030006" + "00000004" + "00000002"
    assert framer.go_away(7).hex() == "80030007" + "00000008" + "00000007" + "00000000"
    opened = framer.open(1, {"streamType": "error"})
    assert opened.hex().startswith("80030001")
    assert opened[8:18].hex() == "00000001" + "00000000" + "0000"
    plain = zlib.decompressobj(zdict=DICTIONARY).decompress(opened[18:])
    assert plain == b"\0\0\0\1" + b"\0\0\0\x0astreamtype" + b"\0\0\0\5error"


def test_frames_that_say_nothing_here_are_passed_over() -> None:
    window = bytes.fromhex("80030009" + "00000008" + "00000001" + "00010000")
    settings = bytes.fromhex("80030004" + "0000000c" + "00000001" + "00000007" + "00010000")
    assert list(Framer().feed(window + settings + Framer().ping(1))) == [Ping(1)]


@pytest.mark.parametrize(
    "wire",
    [
        bytes.fromhex("80020006" + "00000004" + "00000001"),
        bytes.fromhex("80030006" + "00000002" + "0000"),
        bytes.fromhex("80030001" + f"00{MAX_CONTROL + 1:06x}"),
        bytes.fromhex("80030002" + "00000008" + "00000001" + "ffffffff"),
    ],
)
def test_what_is_no_spdy_is_refused(wire: bytes) -> None:
    with pytest.raises(SpdyError):
        list(Framer().feed(wire))


def test_headers_do_not_grow_without_bound() -> None:
    bomb = Framer().open(1, {"x": "a" * (4 * MAX_CONTROL)})
    assert len(bomb) < MAX_CONTROL
    with pytest.raises(SpdyError, match="too long"):
        list(Framer().feed(bomb))


class Pipe:
    """One end of a pair of carriers."""

    def __init__(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamReader) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self.read_bytes = 0

    async def read(self) -> bytes:
        data = await self._incoming.read(4096)
        self.read_bytes += len(data)
        return data

    async def write(self, data: bytes) -> None:
        self._outgoing.feed_data(data)

    def hang_up(self) -> None:
        self._outgoing.feed_eof()


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Connection, Connection, Pipe, Pipe]]:
    there, back = asyncio.StreamReader(), asyncio.StreamReader()
    near, far = Pipe(back, there), Pipe(there, back)
    client, server = Connection(near, server=False), Connection(far, server=True)
    tasks = [asyncio.create_task(each.run()) for each in (client, server)]
    try:
        yield client, server, near, far
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def arrival(connection: Connection) -> Stream:
    async for stream in connection.arrivals():
        await connection.reply(stream)
        return stream
    raise AssertionError("no stream arrived")


async def whole(stream: Stream) -> bytes:
    found = b""
    while data := await stream.read():
        found += data
    return found


async def test_a_stream_has_two_ends_that_close_one_by_one() -> None:
    async with pair() as (client, server, _, _):
        near = await client.open({"streamType": "data"})
        far = await arrival(server)
        assert far.headers == {"streamtype": "data"}
        await near.replied.wait()
        await near.write(b"question")
        await near.close()
        assert await whole(far) == b"question"
        await far.write(b"answer" * 50_000)
        await far.close()
        assert await whole(near) == b"answer" * 50_000


async def test_a_reset_ends_both_ends() -> None:
    async with pair() as (client, server, _, _):
        near = await client.open({})
        far = await arrival(server)
        await near.reset()
        with pytest.raises(StreamReset):
            await far.read()
        with pytest.raises(StreamReset):
            await far.write(b"x")
        with pytest.raises(StreamReset):
            await near.read()


async def test_nothing_more_is_read_while_nobody_takes_it() -> None:
    async with pair() as (client, server, _, far_pipe):
        near, size = await client.open({}), 4 * BUFFERED
        far = await arrival(server)
        await near.write(b"x" * size)
        await near.close()
        await asyncio.sleep(0.05)
        assert far_pipe.read_bytes < BUFFERED + 2 * 65536
        assert len(await whole(far)) == size


async def test_one_that_goes_ends_all_its_streams() -> None:
    async with pair() as (client, server, near_pipe, _):
        await client.open({})
        far = await arrival(server)
        near_pipe.hang_up()
        with pytest.raises(StreamReset):
            await far.read()
        assert [each async for each in server.arrivals()] == []


async def test_pings_come_back() -> None:
    there, back = asyncio.StreamReader(), asyncio.StreamReader()
    server = asyncio.create_task(Connection(Pipe(there, back), server=True).run())
    there.feed_data(Framer().ping(1) + Framer().ping(2))
    there.feed_eof()
    await server
    assert list(Framer().feed(await back.read(100))) == [Ping(1)], "one of our own is an answer, and wants none"


async def test_streams_numbered_wrongly_end_the_connection() -> None:
    there = asyncio.StreamReader()
    there.feed_data(Framer().open(2, {}))
    with pytest.raises(SpdyError):
        await Connection(Pipe(there, asyncio.StreamReader()), server=True).run()


@given(st.sampled_from(channels.WEBSOCKET_PROTOCOLS), st.sampled_from([0, 1, 2, 3, 4]), st.binary(max_size=100))
def test_a_message_carries_its_channel(name: str, channel: int, data: bytes) -> None:
    protocol = Protocol(name)
    message = protocol.pack(channel, data)
    assert isinstance(message, str) == protocol.base64
    assert protocol.unpack(message) == (channel, data)


@pytest.mark.parametrize("message", [b"", "x", "0%%"])
def test_messages_of_no_channel(message: bytes | str) -> None:
    with pytest.raises(BadMessage):
        Protocol("base64.channel.k8s.io").unpack(message)


def test_only_the_newest_protocol_closes_channels_and_the_oldest_tell_no_status() -> None:
    assert [Protocol(name).closes for name in (channels.V5, channels.V4, "")] == [True, False, False]
    failed = channels.exit_status(3)
    assert channels.exit_code(channels.error_message(Protocol(channels.V4), failed)) == (3, "")
    assert channels.error_message(Protocol("channel.k8s.io"), failed).startswith(b"command terminated with")
    assert channels.error_message(Protocol(""), channels.exit_status(0)) == b""


def told(status: dict[str, Any]) -> bytes:
    return channels.error_message(Protocol(channels.V5), status)


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (b"", (0, "")),
        (b'{"metadata":{},"status":"Success"}', (0, "")),
        (channels.error_message(Protocol(channels.V5), channels.exit_status(137)), (137, "")),
        (
            channels.error_message(Protocol(channels.V5), channels.internal_error("why")),
            (1, "Internal error occurred: why"),
        ),
        (b"a bare sentence", (1, "a bare sentence")),
    ],
)
def test_how_a_command_ended(message: bytes, wanted: tuple[int, str]) -> None:
    assert channels.exit_code(message) == wanted


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"Width":0,"Height":5}', b'{"Width":"a","Height":5}'])
def test_sizes_that_are_none(data: bytes) -> None:
    assert channels.read_resize(data) is None
    assert channels.read_resize(channels.resize(80, 24)) == (80, 24)
