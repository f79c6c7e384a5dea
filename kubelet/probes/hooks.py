"""postStart and preStop hooks. Unlike a probe, an HTTP hook asks only that somebody answers, whatever the answer."""

from __future__ import annotations

import asyncio

from api.types import core_v1
from kubelet.probes import http
from kubelet.probes.handler import Asker, Target


async def run_hook(asker: Asker, hook: core_v1.LifecycleHandler, target: Target, timeout: float | None) -> str:
    """Run a hook to its end, or until its time is over; what went wrong, or nothing."""
    try:
        async with asyncio.timeout(timeout):
            if hook.sleep is not None:
                await asyncio.sleep(hook.sleep.seconds)
                return ""
            if hook.exec is not None:
                answer = await asker.execute(hook.exec, target, None)
                return "" if answer.ok else answer.said or "the command failed"
            if hook.httpGet is not None:
                answer = await asker.http(hook.httpGet, target, None, http.HOOK)
                return "" if answer.answered else answer.said
    except TimeoutError:
        return "the hook did not end in time"
    return "invalid handler: a hook can be exec, httpGet or sleep"
