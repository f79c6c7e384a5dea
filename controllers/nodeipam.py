"""Cuts a range of pod addresses for each node out of the cluster's: `node.spec.podCIDR`.

A node keeps its range for life. What is in use is read from the nodes themselves, so nothing needs to be stored.
"""

from __future__ import annotations

import ipaddress

from api import errors
from api.types import core_v1
from controllers import objects
from controllers.controller import Controller
from controllers.shared import Shared
from daemon.fatal import Fatal
from daemon.log import logger

log = logger(__name__)

Range = ipaddress.IPv4Network | ipaddress.IPv6Network


class Pool:
    """The ranges of one size in a larger one, by number; each is free or belongs to one node."""

    def __init__(self, cluster: str, size: int) -> None:
        """Raises ValueError with a sentence when the sizes do not fit together."""
        self._cluster: Range = ipaddress.ip_network(cluster)
        if not self._cluster.prefixlen <= size <= self._cluster.max_prefixlen:
            raise ValueError(f"nodes' ranges of /{size} do not fit into {cluster}")
        self._size = size
        self._owners: dict[int, str] = {}
        self._next = 0

    @property
    def count(self) -> int:
        return 1 << (self._size - self._cluster.prefixlen)

    def occupy(self, text: str, node: str) -> str | None:
        """Note that a node has this range. Returns the name of the node that has it, or a part of it, already."""
        taken = self._numbers(ipaddress.ip_network(text, strict=False))
        other = next((name for number in taken if (name := self._owners.get(number)) not in (None, node)), None)
        for number in taken:
            self._owners.setdefault(number, node)
        return other

    def allocate(self, node: str) -> str | None:
        """The node's range: one it was given before, else a free one; None when none is left.

        They are given out in turn, so that a range given back is not at once another node's.
        """
        mine = next((number for number, owner in self._owners.items() if owner == node), None)
        if mine is not None:
            return str(self._range(mine))
        for step in range(self.count):
            number = (self._next + step) % self.count
            if number not in self._owners:
                self._owners[number] = node
                self._next = number + 1
                return str(self._range(number))
        return None

    def release(self, node: str) -> None:
        """The node is gone."""
        for number in [number for number, owner in self._owners.items() if owner == node]:
            del self._owners[number]

    def _range(self, number: int) -> Range:
        start = int(self._cluster.network_address) + (number << (self._cluster.max_prefixlen - self._size))
        return ipaddress.ip_network((start, self._size))

    def _numbers(self, other: Range) -> range:
        if other.version != self._cluster.version or not other.overlaps(self._cluster):
            return range(0)
        shift = self._cluster.max_prefixlen - self._size
        base = int(self._cluster.network_address)
        first = max(0, (int(other.network_address) - base) >> shift)
        last = min(self.count - 1, (int(other.broadcast_address) - base) >> shift)
        return range(first, last + 1)


class NodeIpamController(Controller):
    name = "nodeipam"
    component = "cidrAllocator"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.workers = 1  # one hand gives ranges out
        try:
            self._pool = Pool(self.options.cluster_cidr, self.options.node_cidr_mask_size)
        except ValueError as error:
            raise Fatal(f"--cluster-cidr, --node-cidr-mask-size: {error}") from error
        self._nodes = self.read(core_v1.Node)
        self._nodes.on_change(self._node_changed)

    def _node_changed(self, key: str, old: core_v1.Node | None, new: core_v1.Node | None) -> None:
        if new is None:
            self._pool.release(key)
            for node in self._nodes.items():
                self.queue.add(objects.name(node))  # one that found the pool empty may have its turn now
        elif not ranges_of(new):
            self.queue.add(key)
        elif old is None or not ranges_of(old):
            self._note(new)

    def _note(self, node: core_v1.Node) -> None:
        for text in ranges_of(node):
            if other := self._pool.occupy(text, objects.name(node)):
                log.warning("two nodes have one range", range=text, node=objects.name(node), other=other)

    async def reconcile(self, key: str) -> None:
        node = self._nodes.get(key)
        if node is None or ranges_of(node):
            return
        chosen = self._pool.allocate(key)
        if chosen is None:
            text = f"Node {key} status is now: CIDRNotAvailable"
            self.events.event(node, "Normal", "CIDRNotAvailable", text)
            log.warning("no range left for a node", node=key)
            return
        try:
            await self._give(node, chosen)
        except (errors.NotFound, errors.Conflict, errors.Invalid):
            self._pool.release(key)
            raise

    async def _give(self, node: core_v1.Node, chosen: str) -> None:
        patch = {
            "metadata": {"uid": objects.uid(node)},
            "spec": {"podCIDR": chosen, "podCIDRs": [chosen]},
        }
        await self.client.patch(core_v1.Node, objects.name(node), patch)
        log.info("gave a node its range of pod addresses", node=objects.name(node), range=chosen)


def ranges_of(node: core_v1.Node) -> list[str]:
    spec = node.spec
    if spec is None:
        return []
    return spec.podCIDRs or ([spec.podCIDR] if spec.podCIDR else [])
