"""This node's resources put together: what pods may ask for, whether a pod fits, the pods' cgroups, and evictions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from api.types import core_v1
from daemon.fatal import Fatal
from daemon.log import logger
from kubelet.cgroups.pods import HUGEPAGES, PodCgroups, Rules, page
from kubelet.cgroups.tree import Tree
from kubelet.eviction import admit, preempt, signals, thresholds
from kubelet.eviction.decide import Settings
from kubelet.eviction.manager import Evictions, Hands
from kubelet.eviction.measure import Meter, Target
from kubelet.lifecycle.resize import Pending
from kubelet.node import allocatable
from kubelet.node.machine import Machine
from kubelet.options import Options
from kubelet.pod.admission import Refusal
from kubelet.runtime.engine import Engine

log = logger(__name__)

PODS = "pods"
GATHER = 0.5
SWAPS = Path("/proc/swaps")


class NodeResources:
    """`begin` it once Docker's cgroup driver and folder are known. Raises Fatal for options that make no sense."""

    def __init__(self, options: Options, machine: Machine) -> None:
        self._options = options
        self._machine = machine
        enforced = options.cgroups_per_qos and PODS in options.enforce_node_allocatable
        try:
            held = allocatable.reserved(options.system_reserved, options.kube_reserved)
            self._thresholds = thresholds.read(
                options.eviction_hard,
                options.eviction_soft,
                options.eviction_soft_grace_period,
                options.eviction_minimum_reclaim,
                enforce_pods=enforced,
            )
        except ValueError as error:
            raise Fatal(str(error)) from error
        if options.fail_swap_on and len(SWAPS.read_text().splitlines()) > 1:
            raise Fatal("running with swap on is not supported, please disable swap or set --no-fail-swap-on")
        pods = allocatable.pod_count(options.max_pods, options.pods_per_core, machine.cpus)
        self.share = allocatable.share(machine, pods, held, self._thresholds, allocatable.huge_pages())
        self.cpu_period = round(float(options.cpu_cfs_quota_period) * 1e6) if options.cpu_cfs_quota else 0
        self._rules = Rules(options.cgroup_root, options.pod_max_pids, self.cpu_period, enforced)
        self.cgroups = PodCgroups(Tree.of(options.cgroup_driver or "cgroupfs"), self._rules)
        self._evictions: Evictions | None = None
        self._weights_due = asyncio.Event()

    @property
    def capacity(self) -> dict[str, str]:
        return allocatable.written(self.share.capacity)

    @property
    def allocatable(self) -> dict[str, str]:
        return allocatable.written(self.share.allocatable)

    @property
    def conditions(self) -> frozenset[str]:
        """The node's conditions that hold now: MemoryPressure, DiskPressure, PIDPressure."""
        return self._evictions.conditions if self._evictions is not None else frozenset()

    def admit(
        self, pod: core_v1.Pod, others: Sequence[core_v1.Pod], end: Callable[[core_v1.Pod], None]
    ) -> Refusal | None:
        """Why the node refuses a pod that it has not taken yet; `others` are those that it has. `end` ends one of them
        for a critical pod that would not fit otherwise."""
        self._weights_due.set()
        refused = admit.under_pressure(pod, self.conditions)
        if refused is not None:
            return refused
        refused = admit.fits(pod, others, self.share.allocatable)
        victims = preempt.victims(pod, others, self.share.allocatable) if refused is not None else []
        for each in victims:
            end(each)
        return None if victims else refused

    def resizable(self, pod: core_v1.Pod, others: Iterable[core_v1.Pod]) -> Pending | None:
        """Why a pod that runs can't have what it wants now; `others` are those that have been taken beside it."""
        return admit.resizable(pod, others, self.share.allocatable)

    async def begin(self, driver: str, engine: Engine, engine_root: Path, hands: Hands) -> None:
        """Make the cgroup of all pods, and take a first look at what is left. Raises Fatal."""
        wanted = self._options.cgroup_driver
        if wanted and wanted != driver:
            raise Fatal(f'the kubelet\'s cgroup driver "{wanted}" differs from Docker\'s, "{driver}"')
        tree = Tree.of(driver)
        if tree.has("hugetlb"):
            sizes = [page(each) for each in self.share.capacity if each.startswith(HUGEPAGES)]
            self._rules = replace(self._rules, pages=tuple(sizes))
        self.cgroups = PodCgroups(tree, self._rules)
        if self._options.cgroups_per_qos:
            try:
                await asyncio.to_thread(self.cgroups.enforce, self.share.pods)
            except OSError as error:
                raise Fatal(f"the pods' cgroup could not be made: {error}") from error
        root = self._options.root_dir
        place = signals.Place(tree, root, engine_root, tree.path(self.cgroups.top()), self._machine.memory)
        settings = Settings(
            self._thresholds,
            float(self._options.eviction_pressure_transition_period),
            float(self._options.eviction_max_pod_grace_period),
        )
        self._evictions = Evictions(
            settings,
            partial(signals.observe, place),
            Meter(engine, self.cgroups, root, engine_root),
            hands,
            storage_limits=self._options.local_storage_capacity_isolation,
        )
        await self._evictions.look(time.monotonic())  # a pod that is admitted next may not be welcome

    async def run(self, pods_known: Callable[[], Awaitable[object]]) -> None:
        """For ever, once begun: look, and evict what has to go."""
        assert self._evictions is not None, "begin() comes first"
        await pods_known()
        await self._evictions.run()

    async def keep_weights(self, targets: Callable[[], Iterable[Target]], period: float) -> None:
        """For ever: let the tiers of pods weigh what their pods ask for, after a new pod and after each period."""
        while True:
            specs = [each.pod.spec for each in targets() if each.pod.spec is not None]
            try:
                await asyncio.to_thread(self.cgroups.weigh, specs)
            except OSError as error:
                log.warning("the weights of QoS classes are not set", error=str(error))
            try:
                await asyncio.wait_for(self._weights_due.wait(), period)
                await asyncio.sleep(GATHER)  # new pods come in numbers
            except TimeoutError:
                continue
            self._weights_due.clear()
