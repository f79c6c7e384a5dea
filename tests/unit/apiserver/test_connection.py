"""Head and body of an answer as one write."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import cast

from uvicorn import Config
from uvicorn.server import ServerState

from apiserver.connection import TAKE_KEY, ClientConnection, JoinedWrites
from apiserver.endpoints.http import Asgi, Receive, Scope, Send


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


UPGRADE = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"


def connected(app: Asgi) -> tuple[ClientConnection, Recorder]:
    """A connection to an application, over a transport that only takes notes."""
    recorder = Recorder()
    protocol = ClientConnection(Config(app, ws="none", lifespan="off", log_config=None), ServerState(), {})
    protocol.connection_made(cast(asyncio.Transport, recorder))
    return protocol, recorder


async def test_a_connection_is_taken_over_with_what_was_sent_ahead() -> None:
    done = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        taken = scope[TAKE_KEY]()
        await taken.write(b"hello")
        read = b""
        while data := await taken.reader.read(100):
            read += data
        assert read == b"one two three"
        taken.close()
        done.set()

    protocol, recorder = connected(app)
    protocol.data_received(UPGRADE + b"one ")
    protocol.data_received(b"two ")
    await asyncio.sleep(0)
    protocol.data_received(b"three")
    protocol.connection_lost(None)
    async with asyncio.timeout(5):
        await done.wait()
    assert recorder.written == [b"hello"]
    assert recorder.closed


async def test_who_asks_for_another_protocol_in_vain_is_answered_and_left() -> None:
    done = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        done.set()

    protocol, recorder = connected(app)
    protocol.data_received(UPGRADE)
    protocol.data_received(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(5):
        await done.wait()
    assert recorder.closed
    answer = b"".join(recorder.written)
    assert answer.startswith(b"HTTP/1.1 404")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer


def test_the_server_loads_no_command_line_of_uvicorn_but_leaves_it_to_others() -> None:
    program = (
        "import sys, apiserver.main; "
        "assert not {'click', 'multiprocessing', 'uvicorn.main', 'uvicorn.supervisors'} & set(sys.modules); "
        "import uvicorn.main, uvicorn.server; assert uvicorn.Server is uvicorn.main.Server is uvicorn.server.Server"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
