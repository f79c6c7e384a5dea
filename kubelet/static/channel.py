"""What a static pod's worker tells the API server: of its mirror, and never waiting for it."""

from __future__ import annotations

from collections.abc import Callable

from api.types import core_v1
from kubelet.node_context import Channel
from kubelet.static.annotations import is_static


class StaticChannel:
    """A channel that tells the statuses of static pods as their mirrors', and all else as it comes."""

    def __init__(self, channel: Channel, mirror: Callable[[core_v1.Pod], core_v1.Pod | None]) -> None:
        self._channel, self._mirror = channel, mirror
        self.say, self.token = channel.say, channel.token

    def report(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None:
        """A static pod's status is dropped while it has no mirror: the worker is woken when it gets one."""
        shown = self._mirror(pod) if is_static(pod) else pod
        if shown is not None:
            self._channel.report(shown, status)

    async def flush(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None:
        """Static pods come and go without the API server, so theirs aren't waited for."""
        if is_static(pod):
            self.report(pod, status)
        else:
            await self._channel.flush(pod, status)

    async def delete(self, pod: core_v1.Pod) -> None:
        if not is_static(pod):
            await self._channel.delete(pod)
