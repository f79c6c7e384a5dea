"""Giving 1,000 waiting pods to 100 nodes that are only objects. Limit: bindings by 8 clients that decide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.load.common import Generator, generate
from bench.plane import Cost, Plane
from bench.processes import cpu_seconds
from bench.table import Row

PODS, NODES = 1000, 100


def measure() -> Iterable[Row]:
    with Plane("scheduler") as plane:
        scheduler = plane.processes["scheduler"]
        scheduler.stop()
        plane.make_default_account()
        generate("writes", "nodes", *plane.to_apiserver(), "--count", str(NODES))
        generate("writes", "pods", *plane.to_apiserver(), "--count", str(PODS))
        watching = Generator("bound", *plane.to_apiserver(), "--count", str(PODS))
        with plane.cost("apiserver") as server:
            scheduler.start()
            figure = watching.result()["rate"]
        mine = Cost("scheduler", cpu_seconds(scheduler.pid))
        spread = pods_by_node(plane)
        generate("writes", "other-pods", *plane.to_apiserver(), "--first", str(PODS), "--count", str(PODS))
        limit = generate("writes", "bindings", *plane.to_apiserver(), "--first", str(PODS), "--count", str(PODS))
    costs = f"{mine.of_each(PODS)} (its start included), {server.of_each(PODS)}"
    note = f"{min(spread.values())} to {max(spread.values())} pods on each of {len(spread)} nodes; {costs}"
    name = f"schedule {PODS:,} pods on {NODES} nodes"
    yield Row(name, figure, "/s", limit["rate"], "bindings, 8 clients", 1000, True, note)


def pods_by_node(plane: Plane) -> Counter[str]:
    pods = plane.target().get("/api/v1/pods").json()["items"]
    return Counter(pod["spec"]["nodeName"] for pod in pods)
