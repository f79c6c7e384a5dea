"""What the node has, and what of it pods may ask for: capacity less what is reserved for the system and its daemons,
less what evictions keep free. Pure, but for counting huge pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from api.quantity import format_bytes, format_milli
from api.requests import Amounts, add, amount
from kubelet.eviction.thresholds import MEMORY, NODE_FS, Threshold
from kubelet.node.machine import Machine

HUGE_PAGES = Path("/sys/kernel/mm/hugepages")
STORAGE = "ephemeral-storage"
_RESERVABLE = ("cpu", "memory", STORAGE, "pid")


def reserved(*statements: Iterable[str]) -> Amounts:
    """From options such as `cpu=100m`. Raises ValueError with a sentence."""
    total: Amounts = {}
    for each in (each for group in statements for each in group):
        name, _, text = each.partition("=")
        if name not in _RESERVABLE:
            raise ValueError(f'cannot reserve "{name}" resource')
        if (number := amount(name, text)) < 0:
            raise ValueError(f"resource quantity for {name} cannot be negative: {text}")
        add(total, {name: number})
    return total


@dataclass(frozen=True)
class Share:
    """How the machine is divided. Amounts are in api.requests' units."""

    capacity: Amounts
    reserved: Amounts = field(default_factory=dict)
    kept: Amounts = field(default_factory=dict)
    """What hard evictions keep free."""

    @property
    def pods(self) -> Amounts:
        """What all pods together may use."""
        found = {name: max(number - self.reserved.get(name, 0), 0) for name, number in self.capacity.items()}
        if "pid" in self.reserved:
            found["pid"] = self.reserved["pid"]
        return found

    @property
    def allocatable(self) -> Amounts:
        """What pods may ask for."""
        huge = sum(number for name, number in self.capacity.items() if name.startswith("hugepages-"))
        found = {name: max(number - self.kept.get(name, 0), 0) for name, number in self.pods.items() if name != "pid"}
        # Memory that huge pages took can't be had as anything else.
        return found | {"memory": max(found["memory"] - huge, 0)}


def share(machine: Machine, pods: int, held: Amounts, thresholds: Iterable[Threshold], huge: Amounts) -> Share:
    """Args: pods: how many pods the node takes; held: what is reserved."""
    capacity = {
        "cpu": machine.cpus * 1000,
        "memory": machine.memory // 1024 * 1024,
        STORAGE: machine.disk // 1024 * 1024,
        "pods": pods,
        **huge,
    }
    names = {MEMORY: "memory", NODE_FS: STORAGE}
    kept = {
        names[each.signal]: int(each.value.of(capacity[names[each.signal]]))
        for each in thresholds
        if each.hard and each.signal in names
    }
    return Share(capacity, held, kept)


def written(amounts: Amounts) -> dict[str, str]:
    """As a node's status has them."""
    return {name: _written(name, number) for name, number in amounts.items()}


def _written(name: str, number: int) -> str:
    if name == "cpu":
        return format_milli(number)
    return str(number) if name == "pods" else format_bytes(number)


def huge_pages(folder: Path = HUGE_PAGES) -> Amounts:
    """Bytes of huge pages by the resource that stands for their size. Blocking."""
    found: Amounts = {}
    for each in sorted(folder.iterdir()) if folder.is_dir() else ():
        size = int(each.name.removeprefix("hugepages-").removesuffix("kB")) * 1024
        found[f"hugepages-{format_bytes(size)}"] = int((each / "nr_hugepages").read_text()) * size
    return found


def pod_count(most: int, per_core: int, cpus: int) -> int:
    """How many pods the node takes."""
    return min(most, per_core * cpus) if per_core else most
