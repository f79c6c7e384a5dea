"""Samples for those who ask, a moment old at most: several scrapers cost one look."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from kubelet.cgroups.tree import Tree
from kubelet.node.machine import Machine
from kubelet.pods import Pods
from kubelet.stats import cadvisor, resource, sample, volumes
from kubelet.stats.disk import DiskUse
from kubelet.stats.rates import Rates
from kubelet.stats.roster import Roster
from kubelet.stats.sample import NodeSample, Place
from kubelet.stats.summary import summary

QUICK = 0.5
"""Seconds for which CPU and memory are good."""
FULL = 10.0
"""Seconds for which all the rest is."""
FIRST_WALK = 2.0
"""Seconds that the first who asks waits for the disk to be measured."""


class Stats:
    def __init__(self, pods: Pods, machine: Machine, disk_use: DiskUse) -> None:
        self._pods, self._machine = pods, machine
        self._disk_use = disk_use
        self._roster = Roster(pods)
        self._rates = Rates()
        self._samples: dict[bool, NodeSample] = {}
        self._looking = asyncio.Lock()
        self._booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

    async def summary(self, *, only_cpu_and_memory: bool) -> dict[str, Any]:
        found = await self._sample(full=not only_cpu_and_memory)
        node = self._pods.node
        return summary(found, self._rates, node.name, self._booted, self._place().all_pods, self._machine.memory)

    async def resource(self) -> str:
        return resource.render(await self._sample(full=False))

    async def volumes(self) -> str:
        """Part of the kubelet's own metrics; nothing is looked at where no pod has a claim."""
        if not any(claim for pod in self._roster.now() for _, claim, _ in pod.volumes):
            return ""
        return volumes.render(await self._sample(full=True))

    async def cadvisor(self) -> str:
        found = await self._sample(full=True)
        # Nearly a megabyte with 110 pods: others shall have their turn meanwhile.
        return await asyncio.to_thread(cadvisor.render, found, self._machine, self._place().all_pods)

    async def _sample(self, *, full: bool) -> NodeSample:
        async with self._looking:
            known = self._samples.get(full)
            if known is None or time.time() - known.at > (FULL if full else QUICK) or known.at > time.time():
                known = self._samples[full] = await self._look(full=full)
                self._rates.take(known, self._place().all_pods)
            return known

    async def _look(self, *, full: bool) -> NodeSample:
        roster = self._roster.now()
        if full:
            for pod in roster:
                for each in pod.containers:
                    for path in (each.writable, each.logs):
                        if path is not None:
                            self._disk_use.look(path)
                for _, claim, path in pod.volumes:
                    if not claim:
                        self._disk_use.look(path)
            await asyncio.wait({self._disk_use.refresh()}, timeout=FIRST_WALK)
        look = self._disk_use.look
        return await asyncio.to_thread(sample.take, self._place(), roster, look, only_cpu_and_memory=not full)

    def _place(self) -> Place:
        node = self._pods.node
        ground = node.ground
        tree = Tree.of(ground.cgroup_driver)
        return Place(tree, node.root, ground.engine_root, tree.path(node.cgroups.top()))
