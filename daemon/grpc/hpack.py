"""Header blocks of HTTP/2 (HPACK, RFC 7541), as far as a gRPC client needs them.

Requests are written with literals only. Answers are read in full except for the dynamic table: this client tells the
server that its table has no room, so nothing can be in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Header = tuple[str, str]


class HpackError(ValueError):
    """A block that is no header block, or uses a table that has no room."""


# The static table's entries that matter here: the status line, and what requests begin with.
_STATUS = {8: "200", 9: "204", 10: "206", 11: "304", 12: "400", 13: "404", 14: "500"}
_STATIC_SIZE = 61
_INDEXED_REQUEST = {(":method", "POST"): 3, (":scheme", "http"): 6, (":scheme", "https"): 7, (":path", "/"): 4}
_INDEXED_NAME = {":authority": 1, ":path": 4, "content-type": 31}


def encode(headers: Iterable[Header]) -> bytes:
    """A header block that leaves no trace in the receiver's table."""
    block = bytearray()
    for name, value in headers:
        indexed = _INDEXED_REQUEST.get((name, value))
        if indexed is not None:
            block.append(0x80 | indexed)
            continue
        block += _integer(_INDEXED_NAME.get(name, 0), 4)
        if name not in _INDEXED_NAME:
            block += _string(name)
        block += _string(value)
    return bytes(block)


def decode(block: bytes) -> dict[str, str]:
    """The headers in a block; names of the static table that do not matter here appear as `#index`.

    Raises HpackError.
    """
    try:
        return dict(_fields(block))
    except IndexError:
        raise HpackError("the block ends in the middle of a field") from None


def _fields(block: bytes) -> Iterator[Header]:
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _read_integer(block, at, 7)
            yield _name(index), _STATUS.get(index, "")
        elif first & 0xE0 == 0x20:
            size, at = _read_integer(block, at, 5)
            if size:
                raise HpackError("the server wants a table that has no room here")
        else:
            index, at = _read_integer(block, at, 6 if first & 0x40 else 4)
            if index:
                name = _name(index)
            else:
                name, at = _read_string(block, at)
            value, at = _read_string(block, at)
            yield name, value


def _name(index: int) -> str:
    if not 0 < index <= _STATIC_SIZE:
        raise HpackError(f"there is no entry {index}")
    return ":status" if index in _STATUS else f"#{index}"


def _integer(value: int, bits: int) -> bytes:
    """A number in what a first byte has left, and as many bytes more as it takes (RFC 7541, 5.1)."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes((value,))
    more = bytearray((limit,))
    value -= limit
    while value >= 0x80:
        more.append(value & 0x7F | 0x80)
        value >>= 7
    more.append(value)
    return bytes(more)


def _read_integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    limit = (1 << bits) - 1
    value = block[at] & limit
    at += 1
    if value < limit:
        return value, at
    shift = 0
    while True:
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
        if shift > 28:
            raise HpackError("a number is too large")


def _string(text: str) -> bytes:
    data = text.encode()
    return _integer(len(data), 7) + data


def _read_string(block: bytes, at: int) -> tuple[str, int]:
    coded = bool(block[at] & 0x80)
    length, at = _read_integer(block, at, 7)
    data = block[at : at + length]
    if len(data) < length:
        raise HpackError("the block ends in the middle of a string")
    return (huffman(data) if coded else data).decode("utf-8", "replace"), at + length


# How many bits the code of each byte value has, and of the end mark (RFC 7541, appendix B). The code is canonical:
# it follows from the lengths alone.
_LENGTHS = (
    *(13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28),
    *(28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15),
    *(6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6),
    *(15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20),
    *(20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23),
    *(24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22),
    *(22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27),
    *(24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26),
    *(26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30),
)
_END = 256


def _codes() -> dict[tuple[int, int], int]:
    """(length, code) → byte value."""
    codes: dict[tuple[int, int], int] = {}
    code, length = 0, 0
    for symbol in sorted(range(len(_LENGTHS)), key=lambda each: (_LENGTHS[each], each)):
        code <<= _LENGTHS[symbol] - length
        length = _LENGTHS[symbol]
        codes[length, code] = symbol
        code += 1
    return codes


_CODES = _codes()


def huffman(data: bytes) -> bytes:
    """Decode a string. Raises HpackError. Slow and seldom used: only for the few texts that are no constants."""
    decoded = bytearray()
    length, code = 0, 0
    for byte in data:
        for shift in range(7, -1, -1):
            length, code = length + 1, code << 1 | byte >> shift & 1
            symbol = _CODES.get((length, code))
            if symbol is not None:
                if symbol == _END:
                    raise HpackError("the end mark stands inside a string")
                decoded.append(symbol)
                length, code = 0, 0
            elif length > 30:
                raise HpackError("a string holds no code")
    if length > 7 or code != (1 << length) - 1:
        raise HpackError("a string ends with a wrong filling")
    return bytes(decoded)
