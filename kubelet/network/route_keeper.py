"""Keeps the routes to the other nodes' pods as the Nodes have them."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from api.types import core_v1
from client.informer import Informer
from daemon.log import logger
from kubelet.network import routes

log = logger(__name__)

PAUSE = 0.5
"""Seconds to gather Node changes before routes are set."""


class RouteKeeper:
    """Tell it of changed Nodes; `run()` it."""

    def __init__(self, nodes: Informer[core_v1.Node], own: str) -> None:
        self._nodes, self._own = nodes, own
        self._wanted = asyncio.Event()

    def node_changed(self, old: core_v1.Node | None, new: core_v1.Node | None) -> None:
        if old is None or new is None or _facts(old) != _facts(new):
            self._wanted.set()

    async def run(self) -> NoReturn:
        """For ever."""
        await self._nodes.synced()
        while True:
            self._wanted.clear()
            try:
                await routes.apply(routes.wanted(self._nodes.items(), self._own))
            except (routes.RouteError, OSError, ValueError, TimeoutError) as error:
                log.warning("routes could not be set", error=str(error))
            await self._wanted.wait()
            await asyncio.sleep(PAUSE)


def _facts(node: core_v1.Node) -> tuple[object, ...]:
    addresses = [each.address for each in (node.status.addresses or ())] if node.status else []
    return node.spec.podCIDR if node.spec else None, addresses
