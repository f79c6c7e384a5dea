"""What a container leaves as it ends: its termination message, or the end of its log."""

from __future__ import annotations

import asyncio
from pathlib import Path

from api.types import core_v1
from daemon.log import logger
from kubelet.logs.entries import Sieve
from kubelet.logs.files import LogReader, log_path
from kubelet.logs.query import LogQuery
from kubelet.mounts import read_message
from kubelet.runtime.container import Container
from kubelet.volumes.folders import PodFolder

log = logger(__name__)

MOST_OF_LOG, MOST_LINES = 2048, 80


async def last_words(folder: PodFolder, spec: core_v1.Container | None, container: Container, engine_root: Path) -> str:
    """The termination message of a container that has ended; the end of its log if that is to stand in for it."""
    message = await asyncio.to_thread(read_message, folder.termination_log(container.name, container.attempt))
    wants_log = spec is not None and spec.terminationMessagePolicy == "FallbackToLogsOnError"
    if message or not wants_log or not container.exit_code:
        return message
    return await asyncio.to_thread(_end_of, log_path(engine_root, container.id))


def _end_of(path: Path) -> str:
    said = b""
    sieve = Sieve(LogQuery())
    try:
        reader = LogReader(path, tail=MOST_LINES)
    except OSError as error:
        log.debug("no log for a termination message", path=str(path), error=str(error))
        return ""
    try:
        while block := reader.read():
            said = (said + sieve.pass_on(block))[-MOST_OF_LOG:]
    finally:
        reader.close()
    return said.decode(errors="replace")
