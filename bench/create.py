"""Creating objects: 8 clients over HTTPS, each as fast as it is answered. Limit: the same bytes straight to etcd."""

from __future__ import annotations

from collections.abc import Iterable

from bench.load.common import generate
from bench.plane import Plane
from bench.table import Row

COUNT, WARM = 6000, 300


def measure() -> Iterable[Row]:
    with Plane() as plane:
        generate("writes", "configmaps", *plane.to_apiserver(), "--first", "1000000", "--count", str(WARM))
        with plane.cost("apiserver") as cost:
            found = generate("writes", "configmaps", *plane.to_apiserver(), "--count", str(COUNT))
        limit = generate("writes", "configmaps", *plane.to_etcd(), "--etcd", "--count", str(COUNT))["rate"]
    note = f"p50 {found['p50'] * 1000:.1f} ms, p99 {found['p99'] * 1000:.1f} ms, {cost.of_each(COUNT)}"
    yield Row("create ConfigMaps, 8 clients", found["rate"], "/s", limit, "puts to etcd's gateway", 1000, True, note)
