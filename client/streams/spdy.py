"""SPDY/3.1 as bytes and events: a state machine without I/O.

Kubernetes' clients (moby/spdystream) speak a part of the protocol: streams with headers, data, half-close, reset, ping,
goaway. They keep no windows: they send no WINDOW_UPDATE and heed none. So neither does this, or they would wait for
each other; back-pressure is the connection's own. What others send of windows and settings is read and left alone.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from client.streams.dictionary import DICTIONARY

MAX_CONTROL = 1024 * 1024
"""Bytes that a control frame may have, and its headers when they are unpacked."""
MAX_DATA = 0xFFFFFF
_HEAD = 8
_CONTROL = 0x80000000
_VERSION = 3
_ID = 0x7FFFFFFF
_FIN = 1
_word = struct.Struct(">I")
_pair = struct.Struct(">II")


class Kind(IntEnum):
    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


class Reason(IntEnum):
    """Why a stream is reset."""

    PROTOCOL_ERROR = 1
    INVALID_STREAM = 2
    REFUSED_STREAM = 3
    CANCEL = 5
    INTERNAL_ERROR = 6


class SpdyError(Exception):
    """The other side does not speak SPDY/3.1."""


Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Opened:
    """SYN_STREAM. Names are lower case."""

    stream: int
    headers: Headers = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Replied:
    """SYN_REPLY."""

    stream: int
    headers: Headers = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """A part of a data frame, or all of it. `fin` comes with the frame's last part."""

    stream: int
    data: bytes
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    stream: int
    reason: int


@dataclass(frozen=True, slots=True)
class Ping:
    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    last: int
    reason: int


Event = Opened | Replied | Data | Reset | Ping | GoAway


class Framer:
    """One side of one connection: what it receives becomes events, what it does becomes bytes to send.

    The bytes must be sent in the order in which they were made: headers are compressed with what went before.
    """

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._kept = b""
        self._stream = 0
        self._left = 0
        """Bytes of the present data frame that have not come yet."""
        self._fin = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take what has come; yields what it means. Read it to its end. Raises SpdyError."""
        if self._kept:
            data, self._kept = self._kept + data, b""
        at, end = 0, len(data)
        while at < end:
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                yield Data(self._stream, piece, self._fin and not self._left)
                continue
            if end - at < _HEAD:
                break
            first, second = _pair.unpack_from(data, at)
            flags, length = second >> 24, second & MAX_DATA
            if not first & _CONTROL:
                at += _HEAD
                self._stream, self._left, self._fin = first, length, bool(flags & _FIN)
                if not length:
                    yield Data(first, b"", self._fin)
                continue
            if length > MAX_CONTROL:
                raise SpdyError(f"a control frame of {length} bytes")
            if end - at < _HEAD + length:
                break
            yield from self._control(first, flags, data[at + _HEAD : at + _HEAD + length])
            at += _HEAD + length
        self._kept = data[at:]

    def _control(self, first: int, flags: int, body: bytes) -> Iterator[Event]:
        if (first >> 16) & 0x7FFF != _VERSION:
            raise SpdyError(f"version {(first >> 16) & 0x7FFF}, not 3")
        fin = bool(flags & _FIN)
        try:
            match first & 0xFFFF:
                case Kind.SYN_STREAM:
                    yield Opened(_number(body) & _ID, self._unpack(body[10:]), fin)
                case Kind.SYN_REPLY:
                    yield Replied(_number(body) & _ID, self._unpack(body[4:]), fin)
                case Kind.HEADERS:
                    self._unpack(body[4:])  # they mean nothing here, but what comes later is compressed with them
                    if fin:
                        yield Data(_number(body) & _ID, b"", True)
                case Kind.RST_STREAM:
                    stream, reason = _pair.unpack_from(body)
                    yield Reset(stream & _ID, reason)
                case Kind.PING:
                    yield Ping(_number(body))
                case Kind.GOAWAY:
                    last, reason = _pair.unpack_from(body)
                    yield GoAway(last & _ID, reason)
        except struct.error as error:
            raise SpdyError("a control frame that is too short") from error

    def _unpack(self, block: bytes) -> Headers:
        try:
            text = self._inflate.decompress(block, MAX_CONTROL)
        except zlib.error as error:
            raise SpdyError(f"headers: {error}") from error
        if self._inflate.unconsumed_tail:
            raise SpdyError("headers that are too long")
        headers: dict[str, str] = {}
        count, at = _number(text), 4
        for _ in range(count):
            name, at = _text(text, at)
            value, at = _text(text, at)
            headers[name.lower()] = value.partition("\0")[0]
        return headers

    def open(self, stream: int, headers: Headers, *, fin: bool = False) -> bytes:
        """SYN_STREAM."""
        return self._frame(Kind.SYN_STREAM, _pair.pack(stream, 0) + b"\0\0" + self._pack(headers), fin=fin)

    def reply(self, stream: int, headers: Headers | None = None, *, fin: bool = False) -> bytes:
        """SYN_REPLY."""
        return self._frame(Kind.SYN_REPLY, _word.pack(stream) + self._pack(headers or {}), fin=fin)

    def _pack(self, headers: Headers) -> bytes:
        parts = [_word.pack(len(headers))]
        for name, value in headers.items():
            for text in (name.lower().encode(), value.encode()):
                parts += (_word.pack(len(text)), text)
        return self._deflate.compress(b"".join(parts)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    @staticmethod
    def data(stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """One frame of at most MAX_DATA bytes."""
        return _pair.pack(stream, (_FIN << 24 if fin else 0) | len(data)) + data

    def reset(self, stream: int, reason: Reason) -> bytes:
        return self._frame(Kind.RST_STREAM, _pair.pack(stream, reason))

    def ping(self, number: int) -> bytes:
        """A ping, or the answer to one: it has the same number."""
        return self._frame(Kind.PING, _word.pack(number))

    def go_away(self, last: int, reason: int = 0) -> bytes:
        return self._frame(Kind.GOAWAY, _pair.pack(last, reason))

    @staticmethod
    def _frame(kind: Kind, body: bytes, *, fin: bool = False) -> bytes:
        first = _CONTROL | _VERSION << 16 | kind
        return _pair.pack(first, (_FIN << 24 if fin else 0) | len(body)) + body


def _number(data: bytes) -> int:
    try:
        number: int = _word.unpack_from(data)[0]
    except struct.error as error:
        raise SpdyError("a control frame that is too short") from error
    return number


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends."""
    end = at + 4 + _number(data[at : at + 4])
    if end > len(data):
        raise SpdyError("headers that break off")
    return data[at + 4 : end].decode("utf-8", "replace"), end
