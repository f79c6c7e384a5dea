"""One exec or attach under way: what goes in, what comes out, and how it ended."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass

from client.streams import channels
from client.streams.channels import Channel, Protocol
from daemon.aio import aiohttp
from kubectl.errors import CliError, Unreachable
from kubectl.session import Session
from kubectl.streams.socket import Pairs, opened

_PIECE = 64 * 1024
Write = Callable[[bytes], None]


@dataclass(frozen=True)
class Ends:
    """The near ends of a command's streams. `stdin` is a file descriptor; -1 is none. `resized` says how large the
    terminal is when its size may have changed."""

    stdout: Write
    stderr: Write | None = None
    stdin: int = -1
    size: Callable[[], tuple[int, int]] | None = None


def query_of(ends: Ends, container: str, command: Sequence[str] = ()) -> Pairs:
    wanted = {
        "container": container,
        "stdin": "true" if ends.stdin >= 0 else "",
        "stdout": "true",
        "stderr": "true" if ends.stderr is not None and ends.size is None else "",
        "tty": "true" if ends.size is not None else "",
    }
    return [(name, value) for name, value in wanted.items() if value] + [("command", word) for word in command]


def run(session: Session, path: str, query: Pairs, ends: Ends) -> int:
    """Until the command has ended; its exit code. Raises CliError, StatusError, Unreachable."""
    return asyncio.run(_run(session, path, query, ends))


async def _run(session: Session, path: str, query: Pairs, ends: Ends) -> int:
    async with opened(session, path, query, (channels.V5, channels.V4)) as socket:
        protocol = Protocol(socket.protocol or channels.V4)
        tasks = [asyncio.create_task(_send_input(socket, protocol, ends.stdin))] if ends.stdin >= 0 else []
        if ends.size is not None:
            tasks.append(asyncio.create_task(_send_sizes(socket, protocol, ends.size)))
        try:
            code, why = channels.exit_code(await _receive(socket, protocol, ends))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    if why:
        raise CliError(why)
    return code


async def _receive(socket: aiohttp.ClientWebSocketResponse, protocol: Protocol, ends: Ends) -> bytes:
    """What the error channel ends with."""
    writers: dict[int, Write | None] = {Channel.STDOUT: ends.stdout, Channel.STDERR: ends.stderr}
    ended: bytes | None = None
    async for message in socket:
        if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            break
        channel, data = protocol.unpack(message.data)
        if channel == Channel.ERROR:
            ended = (ended or b"") + data
        elif write := writers.get(channel):
            write(data)
    if ended is None:
        raise Unreachable(f"error: the stream was cut off: {socket.exception() or socket.close_code}")
    return ended


async def _send_input(socket: aiohttp.ClientWebSocketResponse, protocol: Protocol, fd: int) -> None:
    """A thread reads: a file cannot be waited for, and a pipe that is shared must not be made non-blocking."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue[bytes](4)

    def read() -> None:
        while True:
            try:
                piece = os.read(fd, _PIECE)
            except OSError:
                piece = b""
            if loop.is_closed() or not _handed_over(pieces.put(piece), loop):
                return  # the command has ended before its input did
            if not piece:
                return

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while piece := await pieces.get():
        await socket.send_bytes(_bytes(protocol.pack(Channel.STDIN, piece)))
    if protocol.closes:
        await socket.send_bytes(bytes((Channel.CLOSE, Channel.STDIN)))


def _handed_over(putting: Coroutine[None, None, None], loop: asyncio.AbstractEventLoop) -> bool:
    try:
        asyncio.run_coroutine_threadsafe(putting, loop).result()
    except (RuntimeError, CancelledError):
        putting.close()
        return False
    return True


async def _send_sizes(
    socket: aiohttp.ClientWebSocketResponse, protocol: Protocol, size: Callable[[], tuple[int, int]]
) -> None:
    import signal

    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, changed.set)
    told = None
    try:
        while True:
            now = size()
            if now != told and all(now):
                told = now
                await socket.send_bytes(_bytes(protocol.pack(Channel.RESIZE, channels.resize(*now))))
            await changed.wait()
            changed.clear()
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


def _bytes(message: bytes | str) -> bytes:
    assert isinstance(message, bytes), "none of the protocols asked for is one of text"
    return message
