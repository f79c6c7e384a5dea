"""What a container leaves as it ends: its termination message, or the end of its log."""

from __future__ import annotations

import asyncio

from api.types import core_v1
from daemon.log import logger
from kubelet.mounts import read_message
from kubelet.node_context import NodeContext
from kubelet.runtime.container import Container
from kubelet.runtime.errors import EngineError
from kubelet.volumes.folders import PodFolder

log = logger(__name__)

MOST_OF_LOG, MOST_LINES = 2048, 80


async def read_end(node: NodeContext, folder: PodFolder, spec: core_v1.Container | None, container: Container) -> None:
    """Take the termination message of a container that has ended into its record."""
    message = await asyncio.to_thread(read_message, folder.termination_log(container.name, container.attempt))
    wants_logs = spec is not None and spec.terminationMessagePolicy == "FallbackToLogsOnError"
    if not message and wants_logs and container.exit_code:
        message = await _last_lines(node, container.id)
    if message:
        node.inventory.annotate(container.id, message)


async def _last_lines(node: NodeContext, container_id: str) -> str:
    def read() -> bytes:
        stream = node.engine.open_logs(container_id, stdout=True, stderr=True, tail=MOST_LINES, follow=False)
        return b"".join(stream)

    try:
        return (await asyncio.to_thread(read))[-MOST_OF_LOG:].decode(errors="replace")
    except EngineError as error:
        log.debug("no logs for a termination message", container=container_id[:12], error=str(error))
        return ""
