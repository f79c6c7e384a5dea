"""Logs: what a query lets through, and reading on through rotations."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelet.logs.entries import Sieve
from kubelet.logs.files import LogReader
from kubelet.logs.follow import Followers, follow
from kubelet.logs.query import LogQuery, stamp_of


def entry(log: str, second: int = 0, stream: str = "stdout") -> bytes:
    return json.dumps({"log": log, "stream": stream, "time": f"2026-11-22T10:00:{second:02}.5Z"}).encode() + b"\n"


class Writer:
    """Writes and rotates as Docker does."""

    def __init__(self, path: Path, keep: int = 5) -> None:
        self.path, self._keep = path, keep
        path.touch()

    def write(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)

    def rotate(self) -> None:
        for number in range(self._keep - 2, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.rename(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.rename(self.path.with_name(f"{self.path.name}.1"))
        self.path.touch()


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "x-json.log")


def everything(reader: LogReader, size: int = 64) -> list[bytes]:
    found = b""
    while block := reader.read(size):
        assert block.endswith(b"\n")
        found += block
    return found.split()


def test_what_a_query_lets_through() -> None:
    block = entry("a\n", 1) + entry("b\n", 2, "stderr") + b'{"log":"tor\n' + entry("long ", 3) + entry("end\n", 3)
    assert Sieve(LogQuery()).pass_on(block) == b"a\nb\nlong end\n"
    assert Sieve(LogQuery(stream="Stderr")).pass_on(block) == b"b\n"
    assert Sieve(LogQuery(since="2026-11-22T10:00:02.500000000Z")).pass_on(block) == b"b\nlong end\n"
    stamped = Sieve(LogQuery(timestamps=True, since="2026-11-22T10:00:03.000000000Z")).pass_on(block)
    assert stamped == b"2026-11-22T10:00:03.500000000Z long end\n"
    limited = Sieve(LogQuery(limit=3))
    assert (limited.pass_on(block), limited.full, limited.pass_on(block)) == (b"a\nb", True, b"")


def test_stamps_have_the_order_of_their_times() -> None:
    assert stamp_of("2026-11-22T11:00:00+01:00") == "2026-11-22T10:00:00.000000000Z"
    assert stamp_of("2026-11-22T10:00:00.123456789Z") > stamp_of("2026-11-22T10:00:00.12345678Z")


@given(st.lists(st.sampled_from("wwwr"), max_size=40), st.integers(1, 200))
def test_no_line_is_lost_or_doubled_by_rotation(steps: list[str], size: int) -> None:
    """As long as the reader is not slower than all the files that are kept."""
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder) / "x-json.log", keep=50)
        reader = LogReader(writer.path)
        wanted, seen = [], []
        for number, step in enumerate(steps):
            if step == "r":
                writer.rotate()
            else:
                writer.write(b"%d\n" % number)
                wanted.append(b"%d" % number)
            if number % 7 == 0:
                seen += everything(reader, size)
        assert seen + everything(reader, size) == wanted
        reader.close()


def test_what_was_rotated_away_is_passed_over(writer: Writer) -> None:
    writer.write(b"first\n")
    reader = LogReader(writer.path)
    for number in range(7):
        writer.rotate()
        writer.write(b"%d\n" % number)
    assert everything(reader) == [b"first", b"2", b"3", b"4", b"5", b"6"]
    reader.close()


@pytest.mark.parametrize(
    ("tail", "expected"),
    [(0, []), (1, [b"6"]), (3, [b"4", b"5", b"6"]), (5, [b"2", b"3", b"4", b"5", b"6"]), (9, None)],
)
def test_a_tail_reaches_into_older_files(writer: Writer, tail: int, expected: list[bytes] | None) -> None:
    for number in range(7):
        writer.write(b"%d\n" % number)
        if number in (2, 3):
            writer.rotate()
    reader = LogReader(writer.path, tail)
    assert everything(reader) == (expected if expected is not None else [b"%d" % number for number in range(7)])
    reader.close()


def test_half_a_line_waits_for_its_end(writer: Writer) -> None:
    reader = LogReader(writer.path)
    writer.write(b"one\ntw")
    assert reader.read() == b"one\n"
    assert reader.read() == b""
    writer.write(b"o\n")
    assert reader.read() == b"two\n"
    reader.close()


async def test_followers_wake_by_themselves_and_end_with_the_container(writer: Writer) -> None:
    followers, progress, running = Followers(), asyncio.Event(), True
    seen: list[list[bytes]] = [[] for _ in range(100)]

    async def one(into: list[bytes]) -> None:
        reader = LogReader(writer.path)
        async for piece in follow(reader, Sieve(LogQuery()), writer.path.parent, followers, "uid", lambda: running):
            into.append(piece)
            progress.set()
        reader.close()

    tasks = [asyncio.create_task(one(into)) for into in seen]
    for number in range(4):
        writer.write(entry(f"{number}\n"))
        writer.rotate()
        async with asyncio.timeout(5):
            while any(b"".join(each).count(b"\n") <= number for each in seen):
                await progress.wait()
                progress.clear()
    writer.write(entry("last\n"))
    running = False
    followers.container_changed("uid")
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert {b"".join(each) for each in seen} == {b"0\n1\n2\n3\nlast\n"}
