"""Head and body of an answer as one write."""

from __future__ import annotations

import asyncio
from typing import cast

from apiserver.connection import JoinedWrites


class Recorder:
    """What the real transport is given."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def get_extra_info(self, name: str) -> None: ...


async def test_a_head_goes_with_its_body() -> None:
    recorder = Recorder()
    joined = JoinedWrites(cast(asyncio.Transport, recorder), asyncio.get_running_loop())
    joined.write(b"HTTP/1.1 200 OK\r\n\r\n")
    joined.write(b"body")
    joined.write(b"more")
    assert recorder.written == [b"HTTP/1.1 200 OK\r\n\r\nbody", b"more"]
    await asyncio.sleep(0)
    assert len(recorder.written) == 2


async def test_a_head_without_a_body_goes_at_the_end_of_the_turn() -> None:
    recorder = Recorder()
    joined = JoinedWrites(cast(asyncio.Transport, recorder), asyncio.get_running_loop())
    joined.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert recorder.written == []
    await asyncio.sleep(0)
    assert recorder.written == [b"HTTP/1.1 200 OK\r\n\r\n"]


async def test_closing_loses_nothing() -> None:
    recorder = Recorder()
    joined = JoinedWrites(cast(asyncio.Transport, recorder), asyncio.get_running_loop())
    joined.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    joined.close()
    assert recorder.written == [b"HTTP/1.1 204 No Content\r\n\r\n"]
    await asyncio.sleep(0)
    assert len(recorder.written) == 1
