"""Bodies that other servers send, up to a limit: nobody's server may fill this one's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import StreamReader

LIMIT = 16 * 1024 * 1024


class TooLong(ValueError):
    """The body is unreasonably long."""

    def __init__(self) -> None:
        super().__init__(f"the answer is longer than {LIMIT} bytes")


async def whole(content: StreamReader) -> bytes:
    """The whole body. Raises TooLong."""
    read = bytearray()
    async for piece in content.iter_any():
        read += piece
        if len(read) > LIMIT:
            raise TooLong
    return bytes(read)
