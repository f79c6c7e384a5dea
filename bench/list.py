"""Listing 5,000 pods with curl over HTTPS. Limit: the same bytes from a bare server."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Iterable

from bench import bare
from bench.load.common import generate
from bench.plane import Plane
from bench.table import Row
from bench.wire import Target

COUNT, TIMES = 5000, 9
PATH = "/api/v1/pods"


def measure() -> Iterable[Row]:
    with Plane() as plane:
        plane.make_default_account()
        generate("writes", "other-pods", *plane.to_apiserver(), "--count", str(COUNT))
        answer = plane.target().get(PATH)
        assert len(answer.json()["items"]) == COUNT
        figure = curl(plane, plane.target(), PATH)
        with bare.running(plane, answer.body) as target:
            limit = curl(plane, target, "/")
    note = f"{len(answer.body) / 1e6:.1f} MB, {len(answer.body) / 1e6 / figure:.0f} MB/s"
    name, of = f"LIST {COUNT:,} pods", "a bare server, same bytes"
    yield Row(name, figure, "s", limit, of, 0.05, note=note, ratio_goal=1.3)


def curl(plane: Plane, target: Target, path: str) -> float:
    """Seconds from the connection's begin to the last byte; the median of several."""
    argv = ["curl", "-sS", "--fail", "-o", "/dev/null", "-w", "%{time_total}", "--max-time", "60"]
    argv += ["--cacert", str(plane.layout.pki / "ca.crt")]
    argv += [word for name, value in target.headers.items() for word in ("-H", f"{name}: {value}")]
    url = f"https://{target.host}:{target.port}{path}"
    runs = [subprocess.run([*argv, url], capture_output=True, text=True, check=True).stdout for _ in range(TIMES)]
    return statistics.median(map(float, runs))
