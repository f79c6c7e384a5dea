"""What a small cluster that has nothing to do costs: memory, and time on the cores.

Limits: etcd and as many bare Python processes with an event loop and parsers for HTTP and JSON; what etcd alone needs
of a core.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable

from bench.node import Site, site
from bench.processes import cpu_seconds, resident
from bench.table import Row
from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until

SECONDS = 30
CONTROL = ("etcd", "apiserver", "scheduler", "controllers")
NODE = ("kubelet", "proxy")
BARE = "import asyncio, ssl, httptools, msgspec, uvloop; print('up', flush=True); uvloop.run(asyncio.sleep(600))"


def measure() -> Iterable[Row]:
    with site() as here:
        here.start()
        wait_until("a Ready node", here.node_ready, seconds=60)
        Kubectl(here.plane.admin_conf)("get", "pods,services,nodes", "-A")  # a cluster that has been used
        time.sleep(10)
        before, began = _cpu(here), time.monotonic()
        time.sleep(SECONDS)
        after, seconds = _cpu(here), time.monotonic() - began
        memory = {name: resident(pid) for name, pid in _pids(here).items()}
        bare = _bare_process()
    shares = {name: 100 * (after[name] - before[name]) / seconds for name in before}
    for title, names, goal in (("etcd + control plane", CONTROL, 250.0), ("kubelet + proxy", NODE, 100.0)):
        limit = sum(memory[name] if name == "etcd" else bare for name in names)
        figure, note = sum(memory[name] for name in names), ", ".join(f"{name} {memory[name]:.0f}" for name in names)
        yield Row(f"resident memory idle, {title}", figure, "MB", limit, "etcd, bare Pythons", goal, note=note)
    note = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    yield Row("idle CPU of all daemons", sum(shares.values()), "%", shares["etcd"], "etcd's own part", 3, note=note)


def _pids(here: Site) -> dict[str, int]:
    return {**here.plane.pids(), "kubelet": here.kubelet.pid, "proxy": here.proxy.pid}


def _cpu(here: Site) -> dict[str, float]:
    """Seconds on a core so far, ended children included."""
    return {name: cpu_seconds(pid) for name, pid in _pids(here).items()}


def _bare_process() -> float:
    process = subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        return resident(process.pid)
    finally:
        process.kill()
        process.communicate()
