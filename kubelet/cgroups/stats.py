"""What a cgroup uses: of a container, a pod, all pods, the machine. The same figures from cgroup v1 and v2, for
evictions, `/stats/summary` and the metrics pages.

What the kernel doesn't tell (a controller that is off, a cgroup that is gone) is None. Reading is blocking, and quick:
a handful of small files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubelet.cgroups.tree import Tree

UNLIMITED = 1 << 62
"""v1 tells "no limit" as a number close to 2⁶³."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """Nanoseconds since the cgroup was made, and how its quota held it back."""

    usage: int
    periods: int = 0
    throttled_periods: int = 0
    throttled: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes, and counts of page faults."""

    usage: int
    """All that is charged, page cache included."""
    working_set: int
    """What the kernel could not take back without harm: usage less the file pages that nobody used lately."""
    rss: int = 0
    cache: int = 0
    swap: int = 0
    page_faults: int = 0
    major_page_faults: int = 0
    limit: int | None = None
    """None if there is none."""


@dataclass(frozen=True, slots=True)
class Usage:
    cpu: Cpu | None = None
    memory: Memory | None = None
    pids: int | None = None

    @property
    def known(self) -> bool:
        return self.cpu is not None or self.memory is not None


def read(tree: Tree, path: str) -> Usage:
    """The usage of the cgroup at `path`; the empty path is the whole machine."""
    if tree.unified:
        folder = tree.folder(path, "")
        return Usage(_cpu_v2(folder), _memory_v2(folder) if path else machine_memory(), _count(folder / "pids.current"))
    return Usage(
        _cpu_v1(tree.folder(path, "cpuacct"), tree.folder(path, "cpu")),
        _memory_v1(tree.folder(path, "memory")),
        _count(tree.folder(path, "pids") / "pids.current"),
    )


def table(text: str) -> dict[str, int]:
    """A file of lines `name number`, as `memory.stat` and `cpu.stat` are."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def memory_v1(usage: int, stat: Mapping[str, int], limit: int | None = None) -> Memory:
    """From `memory.usage_in_bytes` and `memory.stat`; the totals count the cgroups below, too."""
    return Memory(
        usage,
        max(usage - stat.get("total_inactive_file", 0), 0),
        stat.get("total_rss", 0),
        stat.get("total_cache", 0),
        stat.get("total_swap", 0),
        stat.get("total_pgfault", 0),
        stat.get("total_pgmajfault", 0),
        limit,
    )


def memory_v2(usage: int, stat: Mapping[str, int], swap: int = 0, limit: int | None = None) -> Memory:
    """From `memory.current` and `memory.stat`."""
    return Memory(
        usage,
        max(usage - stat.get("inactive_file", 0), 0),
        stat.get("anon", 0),
        stat.get("file", 0),
        swap,
        stat.get("pgfault", 0),
        stat.get("pgmajfault", 0),
        limit,
    )


def machine_memory(proc: Path = Path("/proc")) -> Memory | None:
    """The whole machine's, which the root of v2 doesn't tell."""
    text, faults = _text(proc / "meminfo"), table(_text(proc / "vmstat") or "")
    if text is None:
        return None
    kib = {line.partition(":")[0]: int(line.split()[1]) for line in text.splitlines() if ":" in line}
    info = {name: amount * 1024 for name, amount in kib.items()}
    usage = info["MemTotal"] - info["MemFree"]
    return Memory(
        usage,
        max(usage - info.get("Inactive(file)", 0), 0),
        info.get("AnonPages", 0),
        info.get("Cached", 0),
        info.get("SwapTotal", 0) - info.get("SwapFree", 0),
        faults.get("pgfault", 0),
        faults.get("pgmajfault", 0),
    )


def _cpu_v1(account: Path, shares: Path) -> Cpu | None:
    usage = _count(account / "cpuacct.usage")
    if usage is None:
        return None
    stat = table(_text(shares / "cpu.stat") or "")
    return Cpu(usage, stat.get("nr_periods", 0), stat.get("nr_throttled", 0), stat.get("throttled_time", 0))


def _cpu_v2(folder: Path) -> Cpu | None:
    stat = table(_text(folder / "cpu.stat") or "")
    if "usage_usec" not in stat:
        return None
    throttled = stat.get("throttled_usec", 0) * 1000
    return Cpu(stat["usage_usec"] * 1000, stat.get("nr_periods", 0), stat.get("nr_throttled", 0), throttled)


def _memory_v1(folder: Path) -> Memory | None:
    usage, stat = _count(folder / "memory.usage_in_bytes"), _text(folder / "memory.stat")
    if usage is None or stat is None:
        return None
    return memory_v1(usage, table(stat), _limit(_count(folder / "memory.limit_in_bytes")))


def _memory_v2(folder: Path) -> Memory | None:
    usage, stat = _count(folder / "memory.current"), _text(folder / "memory.stat")
    if usage is None or stat is None:
        return None
    swap = _count(folder / "memory.swap.current") or 0
    return memory_v2(usage, table(stat), swap, _limit(_count(folder / "memory.max")))


def _limit(amount: int | None) -> int | None:
    return amount if amount is not None and amount < UNLIMITED else None


def _text(file: Path) -> str | None:
    try:
        return file.read_text()
    except OSError:
        return None


def _count(file: Path) -> int | None:
    """The file's one number; None for one that isn't there or says `max`."""
    text = (_text(file) or "").strip()
    return int(text) if text.isdigit() else None
