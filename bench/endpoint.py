"""One endpoint of 1,000 Services × 5 that becomes unready: from the write to the kernel's rules, for both backends.

Limit: the very same change of the rules by hand, with one `iptables-restore`.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import closing

from bench import namespaces, objects
from bench.kernel import Kernel
from bench.load.common import generate
from bench.load.writes import ENDPOINTS
from bench.plane import Plane
from bench.table import Row
from tests.harness.process import SCRIPTS, Process, wait_until

SERVICES, CHANGES = 1000, 15
QUIET = 0.3
"""Seconds between two changes."""
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


def measure() -> Iterable[Row]:
    with namespaces.joined() as node, Plane(address=namespaces.HERE) as plane:
        generate("writes", "services", *plane.to_apiserver(), "--count", str(SERVICES))
        generate("writes", "slices", *plane.to_apiserver(), "--count", str(SERVICES))
        for offset, backend in enumerate(("nft", "legacy")):
            yield from _with_backend(plane, node, backend, offset)


def _with_backend(plane: Plane, node: namespaces.Joined, backend: str, offset: int) -> Iterator[Row]:
    argv = [str(SCRIPTS / "python"), "-m", "proxy.main", "--kubeconfig", str(plane.layout.kubeconfig("proxy"))]
    argv += ["--iptables", backend, "--state-dir", str(plane.folder)]
    argv += ["--health-bind", f"127.0.0.1:{plane.ports.proxy_health}"]
    proxy = Process(f"proxy-{backend}", argv, plane.folder, prefix=node.enter).start()
    try:
        with closing(Kernel(node.name, node.enter, backend)) as kernel:
            proxy.wait_for("all rules", lambda: kernel.endpoints(SERVICES - 1) == ENDPOINTS, seconds=60)
            numbers = range(100 + offset * CHANGES, 100 + (offset + 1) * CHANGES)
            times = [_change(plane, kernel, number) for number in numbers]
            by_hand = statistics.median(kernel.remove_one_by_hand(number) for number in range(500, 500 + CHANGES))
    finally:
        proxy.stop()
        subprocess.run([*node.enter, *argv, "--cleanup"], check=True, capture_output=True)
    name = f"one endpoint of {SERVICES:,} × {ENDPOINTS} → in the kernel, {backend}"
    note = f"slowest {max(times) * 1000:.0f} ms"
    yield Row(name, statistics.median(times), "s", by_hand, "iptables-restore by hand", 0.1, note=note)


def _change(plane: Plane, kernel: Kernel, number: int) -> float:
    body = objects.endpoint_slice(number, ENDPOINTS, unready=2)
    time.sleep(QUIET)
    before = kernel.state(number)
    started = time.perf_counter()
    answer = plane.target().send("PUT", f"{SLICES}/bench-{number}-a", body)
    assert answer.status == 200, answer.body[:300]
    wait_until("the kernel", lambda: kernel.state(number) != before, every=0.002)
    seconds = time.perf_counter() - started
    assert kernel.endpoints(number) == ENDPOINTS - 1
    return seconds
