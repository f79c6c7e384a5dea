"""From the begin of a write to its event at each watcher, over HTTPS. Limit: etcd's own watch, by the same client."""

from __future__ import annotations

from collections.abc import Iterable

from bench.load.common import generate
from bench.plane import Plane
from bench.table import Row

WRITES = 200
MANY, FEW = 1000, 30
"""Watchers of one resource, and writes while so many watch."""
GOALS = {1: 2.0, 100: 6.0}
"""Watchers → milliseconds."""


def measure() -> Iterable[Row]:
    with Plane() as plane:
        generate("watches", *plane.to_apiserver(), "--clients", "1", "--count", "20", "--first", "1000000")
        for index, (watchers, goal) in enumerate(GOALS.items()):
            flags = ("--clients", str(watchers), "--count", str(WRITES), "--first", str(index * WRITES))
            found = generate("watches", *plane.to_apiserver(), *flags)
            limit = generate("watches", *plane.to_etcd(), "--etcd", *flags)
            name = f"write → event, {watchers} watcher{'s' if watchers > 1 else ''}, p50"
            note = f"p99 {found['p99'] * 1000:.1f} ms"
            yield Row(name, found["p50"] * 1000, "ms", limit["p50"] * 1000, "etcd's gateway", goal, note=note)
        yield _many(plane)


def _many(plane: Plane) -> Row:
    flags = ("--clients", str(MANY), "--count", str(FEW), "--first", "100000")
    with plane.cost("apiserver") as cost:
        found = generate("watches", *plane.to_apiserver(), *flags)
    limit = generate("watches", *plane.to_etcd(), "--etcd", *flags)
    note = f"p50 {found['p50'] * 1000:.1f} ms; {cost.of_each(MANY * FEW)}"
    name = f"write → event, {MANY:,} watchers, p99"
    return Row(name, found["p99"] * 1000, "ms", limit["p99"] * 1000, "etcd's gateway", 100, note=note)
