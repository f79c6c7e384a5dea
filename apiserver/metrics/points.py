"""A kubelet's `/metrics/resource` page read, and what two readings of it say of the time between them: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Key = tuple[str, str, str]
"""Namespace, pod, container; all empty for the node itself."""

NODE: Key = ("", "", "")
SHORTEST = 1.0
"""Seconds that CPU use must cover to say anything."""

_LINE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: (?P<at>-?\d+))?\s*$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_CPU = frozenset({"node_cpu_usage_seconds_total", "container_cpu_usage_seconds_total"})
_MEMORY = frozenset({"node_memory_working_set_bytes", "container_memory_working_set_bytes"})
_START = "container_start_time_seconds"


@dataclass(slots=True)
class Point:
    """What one container, or the node, has used up to a moment. Times in seconds since the epoch."""

    at: float = 0.0
    cpu: float | None = None
    memory: int | None = None
    started: float = 0.0


Reading = Mapping[Key, Point]


@dataclass(frozen=True, slots=True)
class Use:
    """Over `window` seconds up to `at`: CPU in nanocores; memory in bytes, at the end."""

    at: float
    window: float
    cpu: int
    memory: int


@dataclass(frozen=True, slots=True)
class PodUse:
    containers: Mapping[str, Use] = field(default_factory=dict)

    @property
    def at(self) -> float:
        return min(each.at for each in self.containers.values())

    @property
    def window(self) -> float:
        return min(each.window for each in self.containers.values())


def read(page: str) -> dict[Key, Point]:
    """Points by what they are of; lines of other metrics, or that can't be read, count for nothing."""
    found: dict[Key, Point] = {}
    for line in page.splitlines():
        match = None if line.startswith("#") else _LINE.match(line)
        if match is None or (name := match["name"]) not in _CPU | _MEMORY | {_START}:
            continue
        labels = dict(_LABEL.findall(match["labels"] or ""))
        key = (labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
        point, value = found.setdefault(key, Point()), float(match["value"])
        if name == _START:
            point.started = value
        elif name in _MEMORY:
            point.memory = int(value)
        else:
            point.cpu, point.at = value, int(match["at"] or 0) / 1000
    return found


def use(before: Point | None, last: Point) -> Use | None:
    """What was used between two points; of a container that began since the first, since it began."""
    if last.cpu is None or last.memory is None:
        return None
    begun = before is None or before.cpu is None or before.started != last.started or before.cpu > last.cpu
    if begun and not last.started:
        return None
    since, base = (last.started, 0.0) if begun or before is None else (before.at, before.cpu or 0.0)
    window = last.at - since
    if window < SHORTEST:
        return None
    return Use(last.at, window, int((last.cpu - base) / window * 1e9), last.memory)


def pods(before: Reading, last: Reading) -> dict[tuple[str, str], PodUse]:
    """By namespace and name: the pods of which the use of every container is known."""
    found: dict[tuple[str, str], dict[str, Use | None]] = {}
    for key, point in last.items():
        if key != NODE:
            found.setdefault(key[:2], {})[key[2]] = use(before.get(key), point)
    return {
        pod: PodUse({name: each for name, each in containers.items() if each is not None})
        for pod, containers in found.items()
        if all(each is not None for each in containers.values())
    }
