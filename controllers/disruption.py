"""Says in a pod's status why it is about to be deleted, so that its owner can tell a fault from a wish."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.metadata import rfc3339
from api.types import core_v1
from client.rest import Client, PatchType
from controllers import objects


async def disrupted(
    client: Client, pod: core_v1.Pod, reason: str, message: str, now: datetime, *, failed: bool = False
) -> None:
    """Add the condition DisruptionTarget; with `failed`, set the phase too. Raises NotFound when the pod is gone."""
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": rfc3339(now),
    }
    status: dict[str, Any] = {"conditions": [condition]}
    if failed:
        status["phase"] = "Failed"
    body = {"metadata": {"uid": objects.uid(pod)}, "status": status}
    name, namespace = objects.name(pod), objects.namespace(pod)
    await client.patch(core_v1.Pod, name, body, namespace, subresource="status", kind=PatchType.STRATEGIC)
