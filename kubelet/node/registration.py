"""Keeps the Node object and its Lease: registered at the start, the Lease renewed every 10 s, the status told on
change.

The Lease is the sign of life; the status, which is large, is only told when it says something new, or every five
minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from api import errors
from api.metadata import now as present
from api.types import coordination_v1, core_v1, meta_v1
from client.backoff import Backoff
from client.rest import Client, PatchType, Unreachable
from daemon.log import logger
from kubelet.node import events as node_events
from kubelet.node import status as wanted
from kubelet.node.events import Said
from kubelet.node.machine import Machine
from kubelet.options import Options

log = logger(__name__)

LEASE_NAMESPACE = "kube-node-lease"


@dataclass(frozen=True)
class Pace:
    """How often what is told: seconds."""

    look: float = 10.0
    """How often the status is worked out."""
    tell: float = 300.0
    """How often it is told if nothing has changed."""
    lease: int = 40
    """How long the lease lasts; it is renewed after a quarter of that."""

    @classmethod
    def of(cls, options: Options) -> Pace:
        return cls(
            float(options.node_status_update_frequency),
            float(options.node_status_report_frequency),
            options.node_lease_duration_seconds,
        )


class Registration:
    """`nudge()` it when the node's health changes; `on_node(node)` hears of the Node as the API server has it, `say`
    of what there is to tell about the node. With `register` false somebody else makes the Node."""

    def __init__(
        self,
        client: Client,
        identity: wanted.Identity,
        machine: Machine,
        health: Callable[[], wanted.Health],
        images: Callable[[], Awaitable[Sequence[core_v1.ContainerImage]]],
        on_node: Callable[[core_v1.Node], None],
        say: Callable[[Said], None] = lambda said: None,
        *,
        pace: Pace | None = None,
        register: bool = True,
    ) -> None:
        self._client, self._identity, self._machine = client, identity, machine
        self._health, self._images, self._on_node, self._say = health, images, on_node, say
        self._pace, self._register = pace or Pace(), register
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

    def changed(self, old: core_v1.Node | None, new: core_v1.Node | None) -> None:
        """The Node as it was and is. Somebody may have deleted it, changed what is ours in it, or overruled us, as
        controllers do with a node they did not hear of."""
        if not self._uid:
            return
        uid = new.metadata.uid if new is not None and new.metadata is not None else None
        if new is None or uid != self._uid or not self._has_labels(new):
            self._uid = ""
            self.nudge()
            return
        for said in node_events.schedulable(self._identity.name, old, new):
            self._say(said)
        self._compare(new)

    def _has_labels(self, node: core_v1.Node) -> bool:
        has = (node.metadata.labels or {}) if node.metadata else {}
        return wanted.default_labels(self._identity, self._machine).items() <= has.items()

    def _compare(self, node: core_v1.Node) -> None:
        if self._told is None or node.status is None:
            return
        if _verdicts(node.status) != _verdicts(self._told):
            self._told = node.status
            self.nudge()

    async def register(self) -> core_v1.Node:
        """Create the Node, or take the one there is and give it our labels. Raises StatusError or Unreachable."""
        try:
            registered = await (self._create() if self._register else self._adopt())
        except errors.AlreadyExists:
            registered = await self._adopt()
        self._uid = (registered.metadata.uid or "") if registered.metadata else ""
        self._registered.set()
        self._told = registered.status
        self._on_node(registered)
        return registered

    async def _create(self) -> core_v1.Node:
        created = await self._client.create(wanted.node(self._identity, self._machine))
        log.info("registered", node=self._identity.name)
        return created

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
            delay = self._pace.look
            try:
                if not self._uid:
                    await self.register()
                await self._tell()
                backoff.reset()
            except errors.NotFound:
                # Somebody deleted the Node: register again, or wait for whoever makes it.
                self._uid, delay = "", 0.0 if self._uid and self._register else backoff.next()
            except (errors.StatusError, Unreachable) as error:
                log.warning("the node's status could not be told", error=str(error))
                await self._client.pause(backoff.next())
                continue
            try:
                await asyncio.wait_for(self._nudged.wait(), delay)
            except TimeoutError:
                continue

    async def _tell(self) -> None:
        images = await self._images()
        status = wanted.status(self._identity, self._machine, self._health(), images, self._told, present())
        unchanged = self._told is not None and wanted.gist(status) == wanted.gist(self._told)
        if unchanged and time.monotonic() - self._told_at < self._pace.tell and self._told_at:
            return
        news = list(node_events.changes(self._identity.name, self._told, status))
        patched = await self._client.patch(
            core_v1.Node, self._identity.name, {"status": status}, subresource="status", kind=PatchType.MERGE
        )
        self._told, self._told_at = status, time.monotonic()
        for said in news:
            self._say(said)
        self._on_node(patched)

    async def keep_lease(self) -> None:
        """For ever: renew the Lease."""
        period = self._pace.lease / 4
        backoff = Backoff(0.2, period)
        lease: coordination_v1.Lease | None = None
        await self._registered.wait()
        while True:
            delay = period
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
                holderIdentity=name, leaseDurationSeconds=self._pace.lease, renewTime=present()
            ),
        )


def _verdicts(status: core_v1.NodeStatus) -> dict[str, str]:
    return {each.type: each.status for each in status.conditions or ()}
