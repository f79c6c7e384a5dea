"""What the kubelet makes of streams before anything is connected."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.streams.channels import SPDY_PROTOCOLS, Channel, Protocol
from client.streams.multiplex import Connection, Stream
from kubelet.network import dial
from kubelet.runtime.errors import Conflict, NotFound, Unreachable
from kubelet.runtime.hijack import Frames, hijack
from kubelet.server.find import Options
from kubelet.server.idle import Idle, first_of
from kubelet.server.portforward import Pairs
from kubelet.server.remote import expected


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50)), max_size=10), st.integers(1, 20))
def test_docker_s_frames_come_apart_however_they_are_cut(sent: list[tuple[int, bytes]], size: int) -> None:
    wire = b"".join(bytes((stream, 0, 0, 0)) + len(data).to_bytes(4, "big") + data for stream, data in sent)
    frames, found = Frames(), {1: b"", 2: b""}
    for at in range(0, len(wire), size):
        for stream, data in frames.feed(wire[at : at + size]):
            found[stream] += data
    assert found == {each: b"".join(data for stream, data in sent if stream == each) for each in (1, 2)}


@asynccontextmanager
async def engine(folder: Path, answer: bytes) -> AsyncIterator[str]:
    """An engine that says this to whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(serve, folder / "docker.sock"):
        yield f"unix://{folder}/docker.sock"


async def test_output_right_behind_docker_s_agreement_is_not_lost(tmp_path: Path) -> None:
    head = b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n"
    async with engine(tmp_path, head + b"\1\0\0\0\0\0\0\2hi") as url:
        streams = await hijack(url, "/exec/x/start", {})
        assert [each async for each in streams.output(tty=False)] == [(1, b"hi")]
        streams.close()


@pytest.mark.parametrize(("status", "kind"), [("404 Not Found", NotFound), ("409 Conflict", Conflict)])
async def test_what_docker_refuses(tmp_path: Path, status: str, kind: type[Exception]) -> None:
    body = b'{"message":"no such exec"}'
    answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    async with engine(tmp_path, answer) as url:
        with pytest.raises(kind, match="no such exec"):
            await hijack(url, "/exec/x/start", {})


async def test_no_docker(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        await hijack(f"unix://{tmp_path}/none.sock", "/exec/x/start", {})
    async with engine(tmp_path, b"") as url:
        with pytest.raises(Unreachable):
            await hijack(url, "/exec/x/start", {})


def test_the_streams_that_a_client_opens_follow_from_what_it_asks_for() -> None:
    v4, v1 = Protocol(SPDY_PROTOCOLS[0]), Protocol("")
    assert expected(Options(stdout=True), v4) == {Channel.ERROR, Channel.STDOUT}
    terminal = Options(stdin=True, stdout=True, tty=True)
    assert expected(terminal, v4) == {Channel.ERROR, Channel.STDIN, Channel.STDOUT, Channel.RESIZE}
    assert Channel.RESIZE not in expected(terminal, v1)


class Nowhere:
    async def read(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        assert data


class Opener:
    """Port-forwards that were begun."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int, int]] = []
        self.pairs = Pairs(self.begin)
        self._connection = Connection(Nowhere(), server=True)
        self._number = -1

    async def begin(self, port: int, data: Stream, error: Stream) -> None:
        self.begun.append((port, data.number, error.number))

    def add(self, headers: Mapping[str, str]) -> str:
        self._number += 2
        return self.pairs.add(Stream(self._connection, self._number, headers))


async def test_two_streams_of_a_request_become_a_connection() -> None:
    opener = Opener()
    for number in ("0", "1"):
        assert opener.add({"streamtype": "error", "port": "80", "requestid": number}) == ""
    assert opener.add({"streamtype": "data", "port": "80", "requestid": "1"}) == ""
    assert opener.add({"streamtype": "data", "port": "80", "requestid": "0"}) == ""
    await asyncio.sleep(0)
    assert opener.begun == [(80, 5, 3), (80, 7, 1)]
    await opener.pairs.close()


async def test_the_oldest_clients_number_no_requests() -> None:
    opener = Opener()
    for kind in ("error", "data", "error", "data"):
        assert opener.add({"streamtype": kind, "port": "53"}) == ""
    await asyncio.sleep(0)
    assert opener.begun == [(53, 3, 1), (53, 7, 5)]


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"streamtype": "other", "port": "80"}, '"streamType" header value is not valid: "other"'),
        ({"streamtype": "data"}, '"port" header value is not valid: ""'),
        ({"streamtype": "data", "port": "65536"}, '"port" header value is not valid: "65536"'),
    ],
)
async def test_streams_that_lead_nowhere(headers: dict[str, str], why: str) -> None:
    assert Opener().add(headers) == why


async def test_one_half_twice_is_none() -> None:
    opener = Opener()
    half = {"streamtype": "data", "port": "80", "requestid": "7"}
    assert [opener.add(half), opener.add(half)] == ["", "a second data stream"]


async def test_a_stream_that_carries_nothing_ends() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(forever()) for _ in range(2)]
    await first_of(*tasks, idle=Idle(0.01))
    assert [each.cancelled() for each in tasks] == [True, True]
    now = [0.0]
    idle = Idle(10, lambda: now[0])
    now[0] = 9.0
    assert idle.left == 1.0
    idle.touch()
    assert idle.left == 10.0


async def test_a_port_of_localhost_where_nobody_listens() -> None:
    with pytest.raises(OSError, match=r"IPv4: dial 127.0.0.1:1: connection refused"):
        await dial.localhost(dial.of_process(os.getpid()), 1)
    with pytest.raises(OSError, match=r"IPv6: .* no such file"):
        await dial.localhost(Path("/proc/0/ns/net"), 1)
