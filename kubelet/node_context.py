"""What all pods of a node share: the engine, the network, the folders, the way to the API server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from api.types import core_v1
from kubelet.cgroups.pods import PodCgroups, Rules
from kubelet.cgroups.tree import Tree
from kubelet.images.images import Images
from kubelet.lifecycle.resize import Pending
from kubelet.logs.archive import Archive
from kubelet.network.cni import Cni
from kubelet.network.resolver import Dns
from kubelet.pod.admission import Refusal
from kubelet.pod.env import Objects
from kubelet.pod.ground import Ground
from kubelet.probes.handler import Asker
from kubelet.runtime.accounts import ImageAccounts
from kubelet.runtime.engine import Engine
from kubelet.runtime.inventory import Inventory
from kubelet.sandboxes.pool import Pool
from kubelet.volumes.claims import Claimed


class Channel(Protocol):
    """What a worker tells the API server; `upstream.Upstream` in a cluster."""

    def say(
        self,
        pod: core_v1.Pod,
        kind: str,
        reason: str,
        message: str,
        container: str = "",
        init: bool = False,
        series: str = "",
    ) -> None: ...

    def report(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None: ...

    async def flush(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None: ...

    async def delete(self, pod: core_v1.Pod) -> None: ...

    async def token(self, pod: core_v1.Pod, audience: str, seconds: int) -> tuple[str, float]: ...


@dataclass
class NodeContext:
    name: str
    root: Path
    engine: Engine
    inventory: Inventory
    images: Images
    cni: Cni
    pool: Pool
    asker: Asker
    ground: Ground
    channel: Channel
    archive: Archive
    objects: Callable[[core_v1.Pod], Awaitable[Objects]]
    """Fetches the ConfigMaps and Secrets that a pod uses."""
    services: Callable[[core_v1.Pod], Mapping[str, str]]
    """The pod's service variables."""
    runtime: Callable[[core_v1.Pod], Awaitable[str]]
    """Looks up the engine's runtime that a pod's RuntimeClass names."""
    claimed: Callable[[core_v1.Pod], Awaitable[Claimed]]
    """Looks up the PersistentVolumes that the pod's claims are bound to."""
    accounts: ImageAccounts
    """The users and groups that images bring along."""
    dns: Dns = field(default_factory=Dns)
    host_ips: tuple[str, ...] = ()
    allocatable: Mapping[str, str] = field(default_factory=dict)
    admit: Callable[[core_v1.Pod], Refusal | None] = lambda pod: None
    """Why the node has no room for a pod, if it hasn't."""
    resizable: Callable[[core_v1.Pod], Pending | None] = lambda pod: None
    """Why the node has no room for what a pod wants to be resized to, if it hasn't."""
    cgroups: PodCgroups = field(default_factory=lambda: PodCgroups(Tree.of(), Rules()))
    longest_backoff: float = 300.0
    """Seconds that a restart waits at the most."""
    released: Callable[[str], None] = lambda uid: None
    """Told when nothing of a pod is left: what was kept for it (objects, statuses) can go."""
    engine_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while Docker answers; a worker whose call failed for that reason waits for it."""
