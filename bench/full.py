"""A node filled to its limit: 110 pods created at once, then deleted at once; what that takes, and that nothing stays.

Limit: as many pairs of a pause container and one in its network, by plain `docker run`, four pairs at a time.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from bench.deploy import deployment, plain_docker
from bench.node import Site, site
from bench.processes import cpu_seconds, resident
from bench.table import Row
from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until

PODS = 110
"""Kubernetes' own limit of a node."""
EVERY = 0.5


@dataclass
class Peak:
    """The most that a process has taken: megabytes, and per cent of a core."""

    memory: float = 0.0
    cpu: float = 0.0


def measure() -> Iterable[Row]:
    with site() as here:
        here.start()
        wait_until("a Ready node", here.node_ready, seconds=60)
        kubectl = Kubectl(here.plane.admin_conf)
        limit = plain_docker(here, PODS)
        with _watched(here.kubelet.pid) as peak:
            began = time.perf_counter()
            kubectl("apply", "-f", "-", stdin=json.dumps(deployment(PODS)))
            kubectl("rollout", "status", "deployment/bench", "--timeout=300s", seconds=310)
            started = time.perf_counter() - began
            settled = _settled(here.kubelet.pid)
            uids = {each["metadata"]["uid"] for each in kubectl.get("pods")["items"]}
            began = time.perf_counter()
            kubectl("delete", "deployment/bench", "--cascade=foreground", "--timeout=300s", seconds=310)
            wait_until("the end of the pods", lambda: not kubectl.get("pods")["items"], seconds=300)
            ended = time.perf_counter() - began
        wait_until("the end of every trace", lambda: not _traces(here, uids), seconds=60)
    of = "docker run of pairs, 4 at once"
    yield Row(f"{PODS} pods at once → all Ready", started, "s", limit, of, 0, note=f"kubelet up to {peak.cpu:.0f} %")
    yield Row(f"{PODS} pods deleted at once → all gone", ended, "s", limit, of, 0, note="nothing left behind")
    yield Row(f"kubelet's memory with {PODS} pods", settled, "MB", peak.memory, "its peak while they start and end", 90)


@contextmanager
def _watched(pid: int) -> Iterator[Peak]:
    peak, over = Peak(), Event()

    def watch() -> None:
        used, at = cpu_seconds(pid), time.monotonic()
        while not over.wait(EVERY):
            now_used, now = cpu_seconds(pid), time.monotonic()
            peak.cpu = max(peak.cpu, 100 * (now_used - used) / (now - at))
            peak.memory = max(peak.memory, resident(pid))
            used, at = now_used, now

    thread = Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _settled(pid: int) -> float:
    """The kubelet's megabytes once all is told."""
    time.sleep(5)
    return resident(pid)


def _traces(here: Site, uids: set[str]) -> list[str]:
    """What is left of pods on their node: containers, mounts, folders, cgroups, addresses."""
    listed = subprocess.run(here.docker("ps", "-aq"), capture_output=True, text=True, check=True).stdout.split()
    root = here.host.folder / "state" / "kubelet"
    mounts = [each for each in here.host.run("cat", "/proc/self/mounts").splitlines() if f"{root}/pods" in each]
    folders = list(map(str, (root / "pods").glob("*")))
    cgroups = [str(each) for uid in uids for each in Path("/sys/fs/cgroup").glob(f"*/kubepods/*/pod{uid}")]
    networks = {each.stem for each in (root / "cni" / "results").glob("*")}
    lost = sorted(networks - {each.name for each in (root / "netns").glob("*")})
    return [*listed, *mounts, *folders, *cgroups, *lost]
