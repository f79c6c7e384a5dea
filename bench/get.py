"""Reading one object, again and again: wrk -t2 -c8 over HTTPS. Limit: a bare server with the same bytes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable

from bench import bare, objects
from bench.plane import Plane
from bench.table import Row
from bench.wire import Target

SECONDS = 8
PATH = "/api/v1/namespaces/default/configmaps/bench-0"


def measure() -> Iterable[Row]:
    with Plane() as plane:
        plane.target().make("/api/v1/namespaces/default/configmaps", objects.config_map(0))
        wrk(plane.target(), PATH, 2)
        with plane.cost("apiserver") as cost:
            figure, latency = wrk(plane.target(), PATH, SECONDS)
        with bare.running(plane, plane.target().get(PATH).body) as target:
            limit, _ = wrk(target, "/", SECONDS)
    note = f"p99 {latency}, {cost.of_each(figure * SECONDS)}"
    yield Row("GET one, wrk -t2 -c8", figure, "/s", limit, "a bare server, same bytes", 4500, True, note)


def wrk(target: Target, path: str, seconds: int) -> tuple[float, str]:
    """Requests a second, and the 99th percentile of the latency as wrk prints it."""
    argv = ["wrk", "-t2", "-c8", f"-d{seconds}s", "--latency"]
    argv += [word for name, value in target.headers.items() for word in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        [*argv, f"https://{target.host}:{target.port}{path}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 30,
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    rate, latency = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout), re.search(r"99%\s+(\S+)", done.stdout)
    assert rate is not None, done.stdout
    return float(rate[1]), latency[1] if latency else ""
