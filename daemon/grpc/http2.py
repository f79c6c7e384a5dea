"""A lean HTTP/2 connection that carries gRPC calls (RFC 9113 and gRPC's protocol over it) and nothing else.

It exists for speed and size: a transaction over `grpc.aio` costs the process four times as much. It keeps to what
gRPC's servers do: no pushes, no priorities, no dynamic header table. Received data is never held back: the windows are
as large as can be, and are opened again as they are used up.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Sequence
from typing import cast

from daemon.grpc.calls import Call, CallError, Unreachable, outcome
from daemon.grpc.hpack import Header, HpackError, encode

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
_HEADER_TABLE_SIZE, _ENABLE_PUSH, _INITIAL_WINDOW, _MAX_FRAME = 1, 2, 4, 5

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_LARGEST_WINDOW = (1 << 31) - 1
_DEFAULT_WINDOW = (1 << 16) - 1
_REOPEN = 1 << 30
_LAST_STREAM = (1 << 31) - 1
_CANCEL = 8
_REFUSED = 7

TICK = 1.0
"""Seconds between looks at deadlines and at a silent peer."""
PING_AFTER, PING_TIMEOUT = 10.0, 5.0


class Connection(asyncio.Protocol):
    """One connection. `usable` turns false for good when no more calls can begin on it."""

    def __init__(self, authority: str, scheme: str, headers: Sequence[Header] = ()) -> None:
        """`headers` go with every call, beside those that gRPC wants."""
        self.usable = False
        self._headers = headers
        self._authority = authority
        self._scheme = scheme
        self._transport: asyncio.Transport | None = None
        self._calls: dict[int, Call] = {}
        self._next = 1
        self._buffer = bytearray()
        self._block: tuple[int, int, bytearray] | None = None
        """A header block that goes on in the next frame: stream, flags, what has come."""
        self._window = _DEFAULT_WINDOW
        self._stream_window = _DEFAULT_WINDOW
        self._max_frame = 1 << 14
        self._received = 0
        self._heads: dict[str, bytes] = {}
        self._heard = 0.0
        self._pinged = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._out: list[bytes] = []

    # -- calls

    async def unary(self, method: str, message: bytes, timeout: float) -> bytes:
        """One message there, one back. Raises CallError."""
        call, head = self._begin(method, time.monotonic() + timeout)
        self._send(call, message, finish=True, head=head)
        try:
            while not call.closed:
                await call.wait()
        finally:
            if not call.closed:
                self._reset(call)
        answer = call.message()
        if call.error is not None:
            raise call.error
        if answer is None:
            raise CallError("INTERNAL", "the answer holds no message")
        return answer

    def open(self, method: str) -> Call:
        """Begin a call with messages both ways; end it with `cancel`. Raises CallError."""
        call, head = self._begin(method, 0.0)
        self._write(head)
        return call

    def send(self, call: Call, message: bytes) -> None:
        """Send a message on an open call. Raises CallError."""
        if call.closed:
            raise call.error or Unreachable("the stream has ended", sent=True)
        self._send(call, message, finish=False)

    async def receive(self, call: Call) -> bytes | None:
        """The next message, None when the peer has ended the call well. Raises CallError."""
        while True:
            message = call.message()
            if message is not None:
                return message
            if call.closed:
                if call.error is not None:
                    raise call.error
                return None
            await call.wait()

    def cancel(self, call: Call) -> None:
        if not call.closed:
            self._reset(call)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        settings = ((_HEADER_TABLE_SIZE, 0), (_ENABLE_PUSH, 0), (_INITIAL_WINDOW, _LARGEST_WINDOW))
        payload = b"".join(struct.pack(">HI", name, value) for name, value in settings)
        more = struct.pack(">I", _LARGEST_WINDOW - _DEFAULT_WINDOW)
        self._write(_PREFACE + frame(SETTINGS, 0, 0, payload) + frame(WINDOW_UPDATE, 0, 0, more))
        self.usable = True
        self._heard = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def connection_lost(self, error: Exception | None) -> None:
        self.usable = False
        if self._timer is not None:
            self._timer.cancel()
        for call in list(self._calls.values()):
            self._end(call, Unreachable(f"the connection to {self._authority} broke: {error or 'closed'}", sent=True))

    def data_received(self, data: bytes) -> None:
        self._heard = time.monotonic()
        self._pinged = 0.0
        if self._buffer:
            self._buffer += data
            data = bytes(self._buffer)
        try:
            used = self._frames(data)
        except (HpackError, struct.error, IndexError) as error:
            self._fail(f"{self._authority} does not speak HTTP/2 as expected: {error}")
            return
        self._buffer = bytearray(data[used:])

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._pump_all()

    # -- sending

    def _begin(self, method: str, deadline: float) -> tuple[Call, bytes]:
        """A new call, and the frame that must be written before anything else of this or a later call."""
        if not self.usable:
            raise Unreachable(f"the connection to {self._authority} is closed", sent=False)
        number = self._next
        self._next += 2
        if self._next > _LAST_STREAM:
            self.usable = False
        call = self._calls[number] = Call(number, self._stream_window, deadline)
        head = self._heads.get(method)
        if head is None:
            head = self._heads[method] = self._head(method)
        return call, frame(HEADERS, _END_HEADERS, number, head)

    def _head(self, method: str) -> bytes:
        return encode(
            (
                *((":method", "POST"), (":scheme", self._scheme), (":path", method), (":authority", self._authority)),
                *(("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "pytheas")),
                *self._headers,
            )
        )

    def _send(self, call: Call, message: bytes, finish: bool, head: bytes = b"") -> None:
        data = b"\0" + len(message).to_bytes(4, "big") + message
        size = len(data)
        if not call.pending and size <= min(call.window, self._window, self._max_frame) and not self._paused:
            call.window -= size
            self._window -= size
            self._write(head + frame(DATA, _END_STREAM if finish else 0, call.id, data))
            return
        self._write(head)
        call.pending += data
        call.finish = finish
        self._pump(call)

    def _pump(self, call: Call) -> None:
        """Send what is pending, as far as the peer has room for it."""
        while call.pending and not self._paused:
            size = min(len(call.pending), call.window, self._window, self._max_frame)
            if size <= 0:
                return
            part, call.pending = call.pending[:size], call.pending[size:]
            call.window -= size
            self._window -= size
            last = call.finish and not call.pending
            self._write(frame(DATA, _END_STREAM if last else 0, call.id, part))

    def _pump_all(self) -> None:
        for call in list(self._calls.values()):
            if call.pending:
                self._pump(call)

    def _reset(self, call: Call) -> None:
        self._write(frame(RST_STREAM, 0, call.id, struct.pack(">I", _CANCEL)))
        self._end(call, CallError("CANCELLED", "the call was cancelled"))

    # -- receiving

    def _frames(self, data: bytes) -> int:
        """Handle all whole frames; how many bytes they took."""
        at, end = 0, len(data)
        while end - at >= 9:
            length = int.from_bytes(data[at : at + 3], "big")
            after = at + 9 + length
            if after > end:
                break
            stream = int.from_bytes(data[at + 5 : at + 9], "big") & _LAST_STREAM
            self._frame(data[at + 3], data[at + 4], stream, data[at + 9 : after])
            at = after
        return at

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == DATA:
            self._on_data(flags, stream, payload)
        elif kind in (HEADERS, CONTINUATION):
            self._on_headers(kind, flags, stream, payload)
        elif kind == WINDOW_UPDATE:
            self._on_window(stream, int.from_bytes(payload, "big") & _LARGEST_WINDOW)
        elif kind == SETTINGS and not flags & _ACK:
            self._on_settings(payload)
        elif kind == PING and not flags & _ACK:
            self._write(frame(PING, _ACK, 0, payload))
        elif kind == RST_STREAM:
            self._on_reset(stream, int.from_bytes(payload, "big"))
        elif kind == GOAWAY:
            self._on_goaway(int.from_bytes(payload[:4], "big") & _LAST_STREAM, payload[8:])

    def _on_data(self, flags: int, stream: int, payload: bytes) -> None:
        self._received += len(payload)
        if self._received >= _REOPEN:
            self._write(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._received)))
            self._received = 0
        call = self._calls.get(stream)
        if call is None:
            return
        call.received += len(payload)
        if call.received >= _REOPEN and not flags & _END_STREAM:
            self._write(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", call.received)))
            call.received = 0
        call.arrived += _unpadded(flags, payload)
        if flags & _END_STREAM:
            self._end(call, CallError("INTERNAL", "the answer ends without a status"))
        elif not call.deadline:
            call.wake()

    def _on_headers(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == HEADERS:
            payload = _unpadded(flags, payload)
            block = bytearray(payload[5:] if flags & _PRIORITY else payload)
        elif self._block is not None and self._block[0] == stream:
            _, first, block = self._block
            flags, block = flags | first & _END_STREAM, block + payload
        else:
            raise HpackError("a header block goes on that has not begun")
        if not flags & _END_HEADERS:
            self._block = (stream, flags, block)
            return
        self._block = None
        call = self._calls.get(stream)
        if call is not None and flags & _END_STREAM:
            self._end(call, outcome(bytes(block)))

    def _on_window(self, stream: int, more: int) -> None:
        if not stream:
            self._window += more
            self._pump_all()
        elif (call := self._calls.get(stream)) is not None:
            call.window += more
            self._pump(call)

    def _on_settings(self, payload: bytes) -> None:
        for name, value in struct.iter_unpack(">HI", payload):
            if name == _INITIAL_WINDOW:
                change, self._stream_window = value - self._stream_window, value
                for call in self._calls.values():
                    call.window += change
            elif name == _MAX_FRAME:
                self._max_frame = value
        self._write(frame(SETTINGS, _ACK, 0, b""))
        self._pump_all()

    def _on_reset(self, stream: int, code: int) -> None:
        call = self._calls.get(stream)
        if call is not None:
            self._end(call, Unreachable(f"{self._authority} reset the call (code {code})", sent=code != _REFUSED))

    def _on_goaway(self, last: int, text: bytes) -> None:
        """The peer takes no new calls; those after `last` it has not looked at."""
        self.usable = False
        why = text.decode(errors="replace") or "going away"
        for call in list(self._calls.values()):
            if call.id > last:
                self._end(call, Unreachable(f"{self._authority}: {why}", sent=False))
        self._close_if_idle()

    # -- ends

    def _end(self, call: Call, error: CallError | None) -> None:
        self._calls.pop(call.id, None)
        call.closed = True
        call.error = error
        call.wake()
        if not self.usable:
            self._close_if_idle()

    def _close_if_idle(self) -> None:
        if not self._calls and self._transport is not None:
            self._transport.close()

    def _fail(self, why: str) -> None:
        self.usable = False
        for call in list(self._calls.values()):
            self._end(call, Unreachable(why, sent=True))
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        """Send with all else that is written in this turn of the event loop: one system call for many calls."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        data, self._out = b"".join(self._out), []
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _tick(self) -> None:
        """End calls whose time is over; ask a silent peer whether it lives, and give it up if it does not say."""
        now = time.monotonic()
        for call in [call for call in self._calls.values() if call.deadline and call.deadline < now]:
            self._reset(call)
            call.error = CallError("DEADLINE_EXCEEDED", f"{self._authority} did not answer in time")
        if self._pinged and now - self._pinged > PING_TIMEOUT:
            self._fail(f"{self._authority} is silent")
            return
        if not self._pinged and now - self._heard > PING_AFTER:
            self._pinged = now
            self._write(frame(PING, 0, 0, b"pytheas!"))
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return b"%b%c%c%b%b" % (len(payload).to_bytes(3, "big"), kind, flags, stream.to_bytes(4, "big"), payload)


def _unpadded(flags: int, payload: bytes) -> bytes:
    if not flags & _PADDED:
        return payload
    return payload[1 : len(payload) - payload[0]]
