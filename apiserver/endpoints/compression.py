"""gzip for large answers, as Kubernetes does it: from 128 KiB on, at the cheapest level, and never for a watch.

zlib lets go of the interpreter's lock, so the work is done in a thread while the loop serves others.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator

THRESHOLD = 128 * 1024
HEADERS = ((b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"))
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS
_STEP = 1024 * 1024
"""Bytes compressed at a time: enough to make the trip to a thread cheap, little enough to send early."""


def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client that sends this header reads gzip."""
    for clause in accept_encoding.split(","):
        name, *parameters = (part.strip() for part in clause.split(";"))
        if name == "gzip":
            return not any(part.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for part in parameters)
    return False


async def gzipped(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """The compressed content, in parts to send as they come."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for part in _steps(chunks):
        packed = await asyncio.to_thread(packer.compress, part)
        if packed:
            yield packed
    yield packer.flush()


def _steps(chunks: Iterable[bytes]) -> Iterator[bytes]:
    group: list[bytes] = []
    size = 0
    for chunk in chunks:
        group.append(chunk)
        size += len(chunk)
        if size >= _STEP:
            yield b"".join(group)
            group, size = [], 0
    yield b"".join(group)
