"""Streams of one SPDY connection for asyncio, on either side, over whatever carries its bytes.

What comes in for all streams together is bounded: when nobody reads it, nothing more is read from the connection, and
the other side has to wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from client.streams.spdy import (
    Data,
    Event,
    Framer,
    GoAway,
    Headers,
    Opened,
    Ping,
    Reason,
    Replied,
    Reset,
    SpdyError,
)

BUFFERED = 1024 * 1024
"""Bytes that may wait to be read, in all streams of a connection together."""
PIECE = 64 * 1024
"""Bytes of data in one frame that is sent."""


class Carrier(Protocol):
    """What carries the bytes. Its methods raise ConnectionError when the other side has gone."""

    async def read(self) -> bytes:
        """What has come; nothing when the other side has ended."""

    async def write(self, data: bytes) -> None:
        """Waits while the other side is slower than we are."""


class StreamReset(ConnectionError):
    """The other side has given the stream up."""


class Stream:
    """One stream: both directions can be ended one by one."""

    def __init__(self, connection: Connection, number: int, headers: Headers) -> None:
        self.number = number
        self.headers = headers
        self.replied = asyncio.Event()
        self._connection = connection
        self._waiting: deque[bytes] = deque()
        self._woken = asyncio.Event()
        self._ended = False
        """Whether the other side sends no more."""
        self._closed = False
        """Whether we send no more."""
        self._broken = ""

    async def read(self) -> bytes:
        """What has come; nothing when the other side has ended the stream. Raises StreamReset."""
        while not self._waiting:
            if self._broken:
                raise StreamReset(self._broken)
            if self._ended:
                return b""
            self._woken.clear()
            await self._woken.wait()
        data = self._waiting.popleft()
        self._connection.taken(len(data))
        return data

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError."""
        for at in range(0, len(data), PIECE):
            if self._broken or self._closed:
                raise StreamReset(self._broken or "the stream is closed")
            await self._connection.send(Framer.data(self.number, data[at : at + PIECE]))

    async def close(self) -> None:
        """Send no more. Raises ConnectionError."""
        if not self._closed and not self._broken:
            self._closed = True
            await self._connection.send(Framer.data(self.number, b"", fin=True))
            self._connection.forget(self, done=self._ended)

    async def reset(self, reason: Reason = Reason.CANCEL) -> None:
        """Give the stream up, both ways."""
        if self._broken or (self._closed and self._ended):
            return
        self.end("reset")
        await self._connection.send(self._connection.framer.reset(self.number, reason))

    def put(self, data: bytes, *, fin: bool) -> None:
        """What the connection has read for this stream."""
        if data and not self._broken:
            self._waiting.append(data)
            self._connection.held(len(data))
        if fin:
            self._ended = True
            self._connection.forget(self, done=self._closed)
        self._woken.set()

    def end(self, why: str) -> None:
        """Nothing more comes, nor goes."""
        self._broken = self._broken or why
        self._connection.taken(sum(map(len, self._waiting)))
        self._waiting.clear()
        self._connection.forget(self, done=True)
        self._woken.set()
        self.replied.set()


class Connection:
    """`run` it in a task of its own; it returns when the connection has ended."""

    def __init__(self, carrier: Carrier, *, server: bool) -> None:
        self.framer = Framer()
        self._carrier = carrier
        self._streams: dict[int, Stream] = {}
        self._next = 2 if server else 1
        self._last = 0
        self._arrived: asyncio.Queue[Stream | None] = asyncio.Queue()
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()
        self._sending = asyncio.Lock()
        self.on_traffic: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Read until the other side ends. Raises SpdyError, ConnectionError."""
        try:
            while data := await self._carrier.read():
                self.on_traffic()
                for event in self.framer.feed(data):
                    await self._heed(event)
                await self._room.wait()
        finally:
            for stream in list(self._streams.values()):
                stream.end("the connection has ended")
            self._arrived.put_nowait(None)

    async def _heed(self, event: Event) -> None:
        match event:
            case Data(number, data, fin):
                if stream := self._streams.get(number):
                    stream.put(data, fin=fin)
            case Opened(number, headers, fin):
                await self._open(number, headers, fin=fin)
            case Replied(number):
                if stream := self._streams.get(number):
                    stream.replied.set()
            case Reset(number):
                if stream := self._streams.get(number):
                    stream.end("reset by the other side")
            case Ping(number):
                if number % 2 != self._next % 2:  # ours come back with our own parity
                    await self.send(self.framer.ping(number))
            case GoAway():
                pass  # what is open goes on; it opens nothing more

    async def _open(self, number: int, headers: Headers, *, fin: bool) -> None:
        if number % 2 == self._next % 2 or number <= self._last:
            raise SpdyError(f"a stream numbered {number}")
        self._last = number
        stream = Stream(self, number, headers)
        self._streams[number] = stream
        if fin:
            stream.put(b"", fin=True)
        self._arrived.put_nowait(stream)

    async def arrivals(self) -> AsyncGenerator[Stream, None]:
        """The streams that the other side opens, until the connection ends. Each wants a `reply`."""
        while (stream := await self._arrived.get()) is not None:
            yield stream

    async def reply(self, stream: Stream) -> None:
        """Take a stream that the other side has opened."""
        await self.send(self.framer.reply(stream.number))

    async def open(self, headers: Headers) -> Stream:
        """Open a stream; wait for its `replied` to know that it was taken. Raises ConnectionError."""
        stream = Stream(self, self._next, headers)
        self._streams[stream.number] = stream
        self._next += 2
        await self.send(self.framer.open(stream.number, headers))
        return stream

    async def go_away(self) -> None:
        await self.send(self.framer.go_away(self._last))

    async def send(self, data: bytes) -> None:
        """Send a frame. The frames of one caller stay in their order: the lock is fair."""
        self.on_traffic()
        async with self._sending:
            await self._carrier.write(data)

    def held(self, size: int) -> None:
        self._waiting += size
        if self._waiting >= BUFFERED:
            self._room.clear()

    def taken(self, size: int) -> None:
        self._waiting -= size
        if self._waiting < BUFFERED:
            self._room.set()

    def forget(self, stream: Stream, *, done: bool) -> None:
        if done:
            self._streams.pop(stream.number, None)
