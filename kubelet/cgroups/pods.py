"""The cgroups of pods: `kubepods` with what the node may give, below it a tier for each QoS class but Guaranteed, below
these the pods, each with its limits. Docker makes the containers' below them.

What a cgroup should have is worked out by pure functions; `PodCgroups` writes it. A file that can't be written (a
controller that this kernel lacks) is said once and left: a pod runs with fewer limits rather than not at all.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from api.quantity import parse
from api.requests import Amounts
from api.types import core_v1
from daemon.log import logger
from kubelet.cgroups.limits import CONTROLLERS, Limits, Setting, properties, settings
from kubelet.cgroups.tree import Tree
from kubelet.pod import resources

log = logger(__name__)

HUGEPAGES = "hugepages-"


@dataclass(frozen=True)
class Rules:
    """What the options say of every pod."""

    root: str = ""
    pids: int = -1
    """How many processes a pod may have; not positive for no limit."""
    period: int = resources.QUOTA_PERIOD
    """Microseconds over which CPU limits hold; 0 if they are not enforced."""
    enforce: bool = True
    """Whether all pods together are held to the node's allocatable."""
    pages: tuple[str, ...] = ()
    """The sizes of huge pages that this kernel has and can limit, by its own names: `2MB`."""


def pod_limits(spec: core_v1.PodSpec, rules: Rules) -> Limits:
    """A pod is limited by the sum of its containers' limits if every one of them has that limit."""
    asked, ceilings = resources.pod_amounts(spec, "requests"), resources.pod_amounts(spec, "limits")
    everywhere = {name for name in ("cpu", "memory") if _limited(spec, name)}
    return Limits(
        cpu_shares=resources.shares(asked.get("cpu", 0)),
        cpu_quota=resources.quota(ceilings.get("cpu", 0), rules.period) if "cpu" in everywhere else 0,
        cpu_period=rules.period or resources.QUOTA_PERIOD,
        memory=ceilings.get("memory", 0) if "memory" in everywhere else 0,
        pids=max(rules.pids, 0),
        hugepages=dict.fromkeys(rules.pages, 0)
        | {page(name): size for name, size in ceilings.items() if name.startswith(HUGEPAGES)},
    )


def _limited(spec: core_v1.PodSpec, name: str) -> bool:
    if spec.resources is not None and name in (spec.resources.limits or {}):
        return True
    containers = [*spec.containers, *(spec.initContainers or ())]
    return all(parse(resources.amounts(each, "limits").get(name, "0")) > 0 for each in containers)


def page(resource: str) -> str:
    """`hugepages-2Mi` as the kernel writes it in the names of its files: `2MB`."""
    return resource.removeprefix(HUGEPAGES).removesuffix("i") + "B"


def node_limits(allocatable: Amounts, rules: Rules) -> Limits:
    """What all pods together get: the node's amounts less what is reserved."""
    if not rules.enforce:
        return Limits(cpu_shares=resources.shares(allocatable["cpu"]), memory=0)
    return Limits(
        cpu_shares=resources.shares(allocatable["cpu"]), memory=allocatable["memory"], pids=allocatable.get("pid")
    )


def tier_shares(specs: Iterable[core_v1.PodSpec]) -> dict[str, int]:
    """What each tier weighs: burstable as much as its pods ask for together, besteffort as little as can be."""
    burstable = [each for each in specs if resources.qos_class(each) == resources.BURSTABLE]
    cpu = sum(resources.pod_amounts(each, "requests").get("cpu", 0) for each in burstable)
    return {resources.BURSTABLE: resources.shares(cpu), resources.BEST_EFFORT: resources.MIN_SHARES}


class PodCgroups:
    """This node's. Every method is blocking, and quick."""

    def __init__(self, tree: Tree, rules: Rules) -> None:
        self.tree, self.rules = tree, rules
        self._told: set[str] = set()
        self._tiers: Mapping[str, int] = {}

    def parent(self, pod: core_v1.Pod) -> str:
        """The pod's cgroup as Docker wants it named."""
        assert pod.spec is not None
        uid = (pod.metadata.uid or "") if pod.metadata else ""
        return resources.cgroup_parent(self.rules.root, resources.qos_class(pod.spec), uid, self.tree.driver)

    def top(self, qos: str = resources.GUARANTEED) -> str:
        """The cgroup of a QoS class as Docker would name it; Guaranteed pods lie in that of all pods."""
        return resources.tier_parent(self.rules.root, qos, self.tree.driver)

    def make(self, pod: core_v1.Pod) -> None:
        """The pod's cgroup with its limits. Raises OSError if it can't be made."""
        assert pod.spec is not None
        self.apply(self.parent(pod), pod_limits(pod.spec, self.rules))

    def started(self, pod: core_v1.Pod, container_id: str) -> None:
        """A container runs: in v2 let the kernel end all of it when it runs out of memory, as v1 can't. A program that
        lost one of its processes would go on in a state that nobody thought of."""
        if self.tree.unified:
            path = self.tree.container(self.parent(pod), container_id)
            self._write(path, Setting("memory", "memory.oom.group", "1"), strict=False)

    def remove(self, pod: core_v1.Pod) -> None:
        """Take the pod's cgroup away, of whichever class it was: what is left of a lost pod doesn't tell it."""
        uid = (pod.metadata.uid or "") if pod.metadata else ""
        for qos in (resources.GUARANTEED, resources.BURSTABLE, resources.BEST_EFFORT):
            self.tree.remove(self.tree.path(resources.cgroup_parent(self.rules.root, qos, uid, self.tree.driver)))

    def resize(self, pod: core_v1.Pod, *, grow: bool) -> None:
        """Set the pod's limits anew: only those that get larger (before its containers grow), or all of them (after
        they have shrunk). Raises OSError if the kernel refuses, as it does a limit below what is in use."""
        assert pod.spec is not None
        wanted = pod_limits(pod.spec, self.rules)
        if grow:
            wanted = self._larger(self.parent(pod), wanted)
        self.apply(self.parent(pod), wanted, strict=True)

    def _larger(self, parent: str, wanted: Limits) -> Limits:
        now = self.current(parent)
        keep_quota = wanted.cpu_quota and (not now.cpu_quota or wanted.cpu_quota <= now.cpu_quota)
        keep_memory = wanted.memory and (not now.memory or wanted.memory <= now.memory)
        return replace(
            wanted,
            cpu_quota=None if keep_quota else wanted.cpu_quota,
            memory=None if keep_memory else wanted.memory,
        )

    def current(self, parent: str) -> Limits:
        """CPU quota and memory limit that a cgroup has; 0 for none."""
        path = self.tree.path(parent)
        if self.tree.unified:
            quota, memory = self._read(path, "cpu", "cpu.max").split(" ")[0], self._read(path, "memory", "memory.max")
        else:
            quota = self._read(path, "cpu", "cpu.cfs_quota_us")
            memory = self._read(path, "memory", "memory.limit_in_bytes")
        most = int(memory) if memory.isdigit() else 0
        return Limits(cpu_quota=int(quota) if quota.isdigit() else 0, memory=most if most < 1 << 62 else 0)

    def _read(self, path: str, controller: str, file: str) -> str:
        try:
            return (self.tree.folder(path, controller) / file).read_text().strip()
        except OSError:
            return ""

    def enforce(self, allocatable: Amounts) -> None:
        """Hold all pods together to what the node may give, and make the tiers."""
        self.apply(self.top(), node_limits(allocatable, self.rules))
        self.weigh(())

    def weigh(self, specs: Iterable[core_v1.PodSpec]) -> None:
        """Give each tier its weight for the pods there are."""
        wanted = tier_shares(specs)
        for qos, shares in wanted.items():
            if self._tiers.get(qos) != shares:
                self.apply(self.top(qos), Limits(cpu_shares=shares))
        self._tiers = wanted

    def apply(self, parent: str, limits: Limits, *, strict: bool = False) -> None:
        path = self.tree.path(parent)
        wanted = settings(limits, unified=self.tree.unified)
        self._make(path)
        if self.tree.driver == "systemd":
            slices = ["systemctl", "set-property", "--runtime", parent, *properties(limits, unified=self.tree.unified)]
            done = subprocess.run(slices, capture_output=True, text=True, check=False, timeout=30)
            if done.returncode:
                raise OSError(f"systemd refuses the limits of {parent}: {done.stderr.strip()}")
            wanted = [each for each in wanted if each.controller == "hugetlb"]
        for each in wanted:
            self._write(path, each, strict)

    def _make(self, path: str) -> None:
        """The cgroup in each hierarchy; in v2 its controllers, too, which a cgroup hands down one level at a time."""
        if not self.tree.unified:
            for controller in ("cpu", "cpuacct", "memory", "pids", "hugetlb"):
                if self.tree.folder("", controller).is_dir():
                    self.tree.folder(path, controller).mkdir(parents=True, exist_ok=True)
            return
        above = self.tree.root
        for part in path.split("/"):
            self._hand_down(above)
            above = above / part
            above.mkdir(exist_ok=True)

    def _hand_down(self, folder: Path) -> None:
        try:
            has = (folder / "cgroup.controllers").read_text().split()
            given = (folder / "cgroup.subtree_control").read_text().split()
        except OSError:
            return
        missing = [f"+{each}" for each in CONTROLLERS if each in has and each not in given]
        if missing:
            with contextlib.suppress(OSError):  # a cgroup with processes of its own hands nothing down
                (folder / "cgroup.subtree_control").write_text(" ".join(missing))

    def _write(self, path: str, setting: Setting, strict: bool) -> None:
        file = self.tree.folder(path, setting.controller) / setting.file
        try:
            # Never make a file: in a cgroup that is the kernel's to do.
            with open(os.open(file, os.O_WRONLY | os.O_TRUNC), "w") as writing:
                writing.write(setting.text)
        except OSError as error:
            if strict and not isinstance(error, FileNotFoundError):
                raise
            if setting.file not in self._told:
                self._told.add(setting.file)
                log.warning("a limit of cgroups is not set", file=str(file), value=setting.text, error=str(error))
