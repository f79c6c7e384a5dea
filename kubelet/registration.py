"""Keeps the Node object and its Lease: registered at the start, the Lease renewed every 10 s, the status told on
change.

The Lease is the sign of life; the status, which is large, is only told when it says something new, or every five
minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from api import errors
from api.metadata import now as present
from api.types import coordination_v1, core_v1, meta_v1
from client.backoff import Backoff
from client.rest import Client, PatchType, Unreachable
from daemon.log import logger
from kubelet import node as wanted
from kubelet.machine import Machine

log = logger(__name__)

LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
RENEW_EVERY = 10.0
TELL_ANYWAY = 300.0
LOOK_EVERY = 10.0


class Registration:
    """`nudge()` it when the node's health changes; `on_node(node)` hears of the Node as the API server has it."""

    def __init__(
        self,
        client: Client,
        identity: wanted.Identity,
        machine: Machine,
        health: Callable[[], wanted.Health],
        images: Callable[[], Awaitable[Sequence[core_v1.ContainerImage]]],
        on_node: Callable[[core_v1.Node], None],
    ) -> None:
        self._client, self._identity, self._machine = client, identity, machine
        self._health, self._images, self._on_node = health, images, on_node
        self._nudged = asyncio.Event()
        self._told: core_v1.NodeStatus | None = None
        self._told_at = 0.0
        self._uid = ""
        self._registered = asyncio.Event()

    @property
    def uid(self) -> str:
        """The Node's, once it is registered."""
        return self._uid

    def nudge(self) -> None:
        self._nudged.set()

    def seen(self, node: core_v1.Node) -> None:
        """The Node as it is now: somebody may have overruled us, as controllers do with a node they did not hear of."""
        if self._told is None or node.status is None:
            return
        if _verdicts(node.status) != _verdicts(self._told):
            self._told = node.status
            self.nudge()

    async def register(self) -> core_v1.Node:
        """Create the Node, or take the one there is and give it our labels. Raises StatusError or Unreachable."""
        own = wanted.node(self._identity, self._machine)
        try:
            registered = await self._client.create(own)
            log.info("registered", node=self._identity.name)
        except errors.AlreadyExists:
            registered = await self._adopt()
        self._uid = (registered.metadata.uid or "") if registered.metadata else ""
        self._registered.set()
        self._told = registered.status
        self._on_node(registered)
        return registered

    async def _adopt(self) -> core_v1.Node:
        there = await self._client.get(core_v1.Node, self._identity.name)
        wanted_labels = wanted.labels(self._identity, self._machine)
        has = (there.metadata.labels or {}) if there.metadata else {}
        if any(has.get(key) != value for key, value in wanted_labels.items()):
            there = await self._client.patch(core_v1.Node, self._identity.name, {"metadata": {"labels": wanted_labels}})
        return there

    async def keep_status(self) -> None:
        """For ever: tell the status when it changes."""
        backoff = Backoff(0.2, 10.0)
        while True:
            self._nudged.clear()
            delay = LOOK_EVERY
            try:
                if not self._uid:
                    await self.register()
                await self._tell()
                backoff.reset()
            except errors.NotFound:
                self._uid, delay = "", 0.0  # somebody deleted the Node: register again
            except (errors.StatusError, Unreachable) as error:
                log.warning("the node's status could not be told", error=str(error))
                delay = backoff.next()
            try:
                await asyncio.wait_for(self._nudged.wait(), delay)
            except TimeoutError:
                continue

    async def _tell(self) -> None:
        images = await self._images()
        status = wanted.status(self._identity, self._machine, self._health(), images, self._told, present())
        unchanged = self._told is not None and wanted.gist(status) == wanted.gist(self._told)
        if unchanged and time.monotonic() - self._told_at < TELL_ANYWAY and self._told_at:
            return
        patched = await self._client.patch(
            core_v1.Node, self._identity.name, {"status": status}, subresource="status", kind=PatchType.MERGE
        )
        self._told, self._told_at = status, time.monotonic()
        self._on_node(patched)

    async def keep_lease(self) -> None:
        """For ever: renew the Lease."""
        backoff = Backoff(0.2, RENEW_EVERY)
        lease: coordination_v1.Lease | None = None
        await self._registered.wait()
        while True:
            delay = RENEW_EVERY
            try:
                lease = await self._renew(lease)
                backoff.reset()
            except (errors.StatusError, Unreachable) as error:
                log.warning("the lease could not be renewed", error=str(error))
                lease, delay = None, backoff.next()
            await asyncio.sleep(delay)

    async def _renew(self, lease: coordination_v1.Lease | None) -> coordination_v1.Lease:
        name = self._identity.name
        if lease is None:
            try:
                lease = await self._client.get(coordination_v1.Lease, name, LEASE_NAMESPACE)
            except errors.NotFound:
                return await self._client.create(self._lease())
        assert lease.spec is not None
        fresh = self._lease()
        own = fresh.metadata.ownerReferences if fresh.metadata is not None else None
        if lease.metadata is not None:
            # Made before the Node was (or for one that is gone), it gets its owner now.
            fresh.metadata = msgspec.structs.replace(
                lease.metadata, ownerReferences=own or lease.metadata.ownerReferences
            )
        return await self._client.update(fresh)

    def _lease(self) -> coordination_v1.Lease:
        name = self._identity.name
        owner = meta_v1.OwnerReference(apiVersion="v1", kind="Node", name=name, uid=self._uid)
        return coordination_v1.Lease(
            metadata=meta_v1.ObjectMeta(
                name=name, namespace=LEASE_NAMESPACE, ownerReferences=[owner] if self._uid else None
            ),
            spec=coordination_v1.LeaseSpec(
                holderIdentity=name, leaseDurationSeconds=LEASE_SECONDS, renewTime=present()
            ),
        )


def _verdicts(status: core_v1.NodeStatus) -> dict[str, str]:
    return {each.type: each.status for each in status.conditions or ()}
