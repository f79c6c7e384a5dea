"""The service account tokens of one pod's projected volumes: asked for once, renewed when four fifths of their life
(or a day) are over.

A token that can't be renewed is kept for as long as it is valid: an API server that is away for a while takes no
running pod's identity away.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from api.errors import StatusError
from api.types import core_v1
from daemon.log import logger
from kubelet.volumes.payload import token_key, token_sources

if TYPE_CHECKING:
    from kubelet.node_context import Channel

log = logger(__name__)

_SHARE = 0.8
_LONGEST = 24 * 3600.0
_JITTER = 10.0
"""Seconds over which the renewals of pods that were started together are spread."""
_TRY_AGAIN = 30.0
"""Seconds after which a renewal that failed is tried anew."""

Key = tuple[str, int]
"""Audience and asked lifetime in seconds."""


@dataclass(frozen=True, slots=True)
class _Held:
    text: str
    renew_at: float
    expires_at: float


def renewal(issued: float, expires: float, spread: float) -> float:
    """When a token is to be replaced; `spread` is between 0 and 1."""
    return issued + min((expires - issued) * _SHARE, _LONGEST) - _JITTER * spread


class Tokens:
    def __init__(self, channel: Channel, spread: Callable[[], float] = random.random) -> None:
        self._channel = channel
        self._spread = spread
        self._held: dict[Key, _Held] = {}
        self.refused: dict[Key, str] = {}
        """Why a token isn't there that the pod's volumes need."""

    async def all(self, pod: core_v1.Pod, now: float) -> Mapping[Key, str]:
        """The tokens that the pod's volumes need and that can be had: for those that can't see `refused`."""
        assert pod.spec is not None
        keys = dict.fromkeys(token_key(each) for each in token_sources(pod.spec))
        due = [key for key in keys if key not in self._held or self._held[key].renew_at <= now]
        await asyncio.gather(*(self._renew(pod, key, now) for key in due))
        return {key: held.text for key, held in self._held.items()}

    async def _renew(self, pod: core_v1.Pod, key: Key, now: float) -> None:
        try:
            text, expires = await self._channel.token(pod, *key)
        except (StatusError, OSError) as error:
            held = self._held.get(key)
            if held is None or held.expires_at <= now:
                self._held.pop(key, None)
                self.refused[key] = f"failed to fetch token: {error}"
                return
            log.warning("a token could not be renewed", pod=pod.metadata and pod.metadata.uid, error=str(error))
            self._held[key] = replace(held, renew_at=now + _TRY_AGAIN)
            return
        self.refused.pop(key, None)
        self._held[key] = _Held(text, renewal(now, expires, self._spread()), expires)

    def due(self) -> float | None:
        """When the next renewal is due."""
        return min((held.renew_at for held in self._held.values()), default=None)
