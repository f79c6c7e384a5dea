"""A cgroup's limits as the kernel's files and as systemd's properties: pure, for both versions of the interface."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

NO_LIMIT_V1 = "-1"
NO_LIMIT = "max"

CONTROLLERS = ("cpu", "cpuset", "io", "memory", "pids", "hugetlb")
"""Those of v2 that a cgroup passes on to the ones below it, as far as it has them itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a cgroup gets. None leaves a thing as it is, 0 takes a limit away."""

    cpu_shares: int | None = None
    cpu_quota: int | None = None
    """Microseconds a period."""
    cpu_period: int = 100_000
    memory: int | None = None
    pids: int | None = None
    hugepages: Mapping[str, int] = field(default_factory=dict)
    """Bytes by the size of the page, as the kernel writes it: `2MB`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One file to write. The controller is where it lies in v1."""

    controller: str
    file: str
    text: str


def weight(shares: int) -> int:
    """CPU shares (2 to 262144, 1024 by default) as v2's weight (1 to 10000, 100 by default), by the curve through
    these three points that the container runtimes share."""
    if shares <= 2:
        return 1
    if shares >= 262_144:
        return 10_000
    power = math.log2(shares)
    return math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))


def settings(limits: Limits, *, unified: bool) -> list[Setting]:
    most, none = ("max", NO_LIMIT) if unified else ("limit_in_bytes", NO_LIMIT_V1)
    found = _cpu_v2(limits) if unified else _cpu_v1(limits)
    if limits.memory is not None:
        found.append(Setting("memory", f"memory.{most}", str(limits.memory or none)))
    if limits.pids is not None:
        found.append(Setting("pids", "pids.max", str(limits.pids or NO_LIMIT)))
    pages = limits.hugepages.items()
    return found + [Setting("hugetlb", f"hugetlb.{size}.{most}", str(amount)) for size, amount in pages]


def _cpu_v1(limits: Limits) -> list[Setting]:
    found = []
    if limits.cpu_shares is not None:
        found.append(Setting("cpu", "cpu.shares", str(limits.cpu_shares)))
    if limits.cpu_quota:
        found.append(Setting("cpu", "cpu.cfs_period_us", str(limits.cpu_period)))
    if limits.cpu_quota is not None:
        found.append(Setting("cpu", "cpu.cfs_quota_us", str(limits.cpu_quota or NO_LIMIT_V1)))
    return found


def _cpu_v2(limits: Limits) -> list[Setting]:
    found = []
    if limits.cpu_shares is not None:
        found.append(Setting("cpu", "cpu.weight", str(weight(limits.cpu_shares))))
    if limits.cpu_quota is not None:
        found.append(Setting("cpu", "cpu.max", f"{limits.cpu_quota or NO_LIMIT} {limits.cpu_period}"))
    return found


def properties(limits: Limits, *, unified: bool) -> list[str]:
    """The same for a slice of systemd's, which writes the files itself and would undo what others wrote there. It has
    no property for huge pages: those stay the kernel's file."""
    found = []
    if limits.cpu_shares is not None:
        found.append(f"CPUWeight={weight(limits.cpu_shares)}" if unified else f"CPUShares={limits.cpu_shares}")
    if limits.cpu_quota is not None:
        percent = f"{math.ceil(limits.cpu_quota * 100 / limits.cpu_period)}%" if limits.cpu_quota else ""
        found.append(f"CPUQuota={percent}")
    if limits.memory is not None:
        found.append(f"{'MemoryMax' if unified else 'MemoryLimit'}={limits.memory or 'infinity'}")
    if limits.pids is not None:
        found.append(f"TasksMax={limits.pids or 'infinity'}")
    return found
