"""Which of the engine's runtimes a pod is to run in: that of its RuntimeClass, read anew for each sandbox.

The sandbox carries it as a label, so that its containers run in the same one whatever becomes of the class.
"""

from __future__ import annotations

from api import errors
from api.types import core_v1, node_v1
from client.rest import Client
from kubelet.pod.problem import SandboxError


async def handler(client: Client, pod: core_v1.Pod) -> str:
    """The engine's name for it; "" for its default. Raises SandboxError, or OSError when the API server is away."""
    name = pod.spec.runtimeClassName if pod.spec is not None else None
    if not name:
        return ""
    try:
        return (await client.get(node_v1.RuntimeClass, name)).handler
    except errors.StatusError as error:
        raise SandboxError(str(error)) from error
