"""The service account tokens of one pod's projected volumes: asked for once, renewed when four fifths of their life
are over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from api.errors import StatusError
from api.types import core_v1
from kubelet.volumes.payload import token_key, token_sources

if TYPE_CHECKING:
    from kubelet.node_context import Channel

_RENEW = 0.8
_LONGEST = 24 * 3600.0


class Tokens:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._held: dict[tuple[str, int], tuple[str, float]] = {}

    async def all(self, pod: core_v1.Pod, now: float) -> Mapping[tuple[str, int], str]:
        """The tokens that the pod's volumes need. Raises OSError when one can't be had."""
        assert pod.spec is not None
        for source in token_sources(pod.spec):
            key = token_key(source)
            held = self._held.get(key)
            if held is None or held[1] <= now:
                try:
                    token = await self._channel.token(pod, *key)
                except StatusError as error:
                    raise OSError(f"failed to fetch token: {error}") from error
                self._held[key] = (token, now + min(key[1] * _RENEW, _LONGEST))
        return {key: token for key, (token, _) in self._held.items()}

    def due(self) -> float | None:
        """When the next renewal is due."""
        return min((renew for _, renew in self._held.values()), default=None)
