"""A command in a container, run to its end or to the end of its time. No thread waits for it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from daemon.log import logger
from kubelet.probes.answer import MOST_SAID
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError
from kubelet.runtime.hijack import Hijacked

log = logger(__name__)

_REAPING = 0.05
"""Seconds that a command has to bury its children."""
_ENDS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Pauses between questions for an exit code, once the output has ended."""


async def run(
    engine: Engine, container_id: str, argv: Sequence[str], timeout: float | None, most: int = MOST_SAID
) -> tuple[int, bytes]:
    """Its exit code, and the first `most` bytes of its output. Raises TimeoutError (the command is ended then),
    EngineError, OSError."""
    exec_id = ""
    try:
        async with asyncio.timeout(timeout):
            exec_id = await engine.exec_create(container_id, argv, stdin=False, tty=False)
            stream = await engine.exec_start(exec_id, tty=False)
            try:
                output = await _read(stream, most)
            finally:
                stream.close()
            return await exit_code(engine, exec_id), output
    except TimeoutError:
        if exec_id:
            await _end(engine, exec_id, container_id)
        raise


async def _read(stream: Hijacked, most: int) -> bytes:
    kept = bytearray()
    async for _, data in stream.output(tty=False):
        kept += data[: most - len(kept)]
    return bytes(kept)


async def exit_code(engine: Engine, exec_id: str) -> int:
    """Of a command whose output has ended: Docker may know a moment later. Raises EngineError."""
    for pause in _ENDS:
        await asyncio.sleep(pause)
        told = await engine.exec_inspect(exec_id)
        if not told.get("Running") and told.get("ExitCode") is not None:
            return int(told["ExitCode"])
    raise EngineError("Docker doesn't tell how the command ended")


async def _end(engine: Engine, exec_id: str, container_id: str) -> None:
    """Docker can't end a command that it has begun, so its processes are killed from the outside."""
    try:
        told = await engine.exec_inspect(exec_id)
    except EngineError as error:
        log.debug("a command goes on after its time", container=container_id[:12], error=str(error))
        return
    pid = int(told.get("Pid") or 0)
    # A number may have gone to somebody else's process meanwhile.
    if not (told.get("Running") and pid > 1 and _belongs(pid, container_id)):
        return
    # What it has started goes first: orphans would become zombies of a container that reaps none.
    _kill(_children(pid))
    await asyncio.sleep(_REAPING)
    if _belongs(pid, container_id):
        _kill([*_children(pid), pid])


def _kill(pids: Iterable[int]) -> None:
    for each in list(pids):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGKILL)


def _belongs(pid: int, container_id: str) -> bool:
    try:
        return container_id in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _children(pid: int) -> Iterator[int]:
    try:
        named = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for each in named:
        yield from _children(int(each))
        yield int(each)
