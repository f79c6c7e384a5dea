"""From `kubectl apply` of a Deployment of 10 and of 30 to all pods Ready, on a node with its own Docker engine.

Limit: as many pairs of a pause container and one in its network, by plain `docker run`, four pairs at a time.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.node import Site, site
from bench.table import Row
from tests.harness.images import load_busybox
from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until

SIZES = (10, 30)
AT_ONCE = 4
IMAGE = "busybox:1"
COMMAND = ["sleep", "3600"]


def measure() -> Iterable[Row]:
    with site() as here:
        load_busybox(here.host.docker, IMAGE)
        here.start()
        wait_until("a Ready node", here.node_ready, seconds=60)
        kubectl = Kubectl(here.plane.admin_conf)
        _apply_and_wait(kubectl, 2)  # whatever is made once only is made
        for size in SIZES:
            figure = _apply_and_wait(kubectl, size)
            limit = plain_docker(here, size)
            goal = round(limit * 1.1, 2)
            yield Row(
                f"apply → all Ready, Deployment of {size}", figure, "s", limit, "docker run of pairs, 4 at once", goal
            )


def _apply_and_wait(kubectl: Kubectl, size: int) -> float:
    """Seconds to `size` ready pods; they are gone again afterwards."""
    started = time.perf_counter()
    kubectl("apply", "-f", "-", stdin=json.dumps(deployment(size)))
    kubectl("rollout", "status", "deployment/bench", "--timeout=120s", seconds=130)
    seconds = time.perf_counter() - started
    kubectl("delete", "deployment/bench", "--cascade=foreground", "--timeout=120s", seconds=130)
    wait_until("the end of the pods", lambda: not kubectl.get("pods")["items"], seconds=120)
    return seconds


def deployment(size: int) -> dict[str, Any]:
    labels = {"app": "bench"}
    container = {"name": "app", "image": IMAGE, "imagePullPolicy": "Never", "command": COMMAND}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "bench"},
        "spec": {
            "replicas": size,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def plain_docker(here: Site, size: int) -> float:
    """Seconds to start `size` pairs by hand; they are gone again afterwards."""

    def docker(*argv: str) -> str:
        return subprocess.run(here.docker(*argv), capture_output=True, text=True, check=True).stdout.strip()

    def pair(number: int) -> None:
        pause = docker("run", "-d", "--network", "none", "--name", f"bench-pause-{number}", IMAGE, *COMMAND)
        docker("run", "-d", "--network", f"container:{pause}", "--name", f"bench-app-{number}", IMAGE, *COMMAND)

    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(pair, range(size)))
    seconds = time.perf_counter() - started
    names = [f"bench-{part}-{number}" for part in ("app", "pause") for number in range(size)]
    docker("rm", "-f", *names)
    return seconds
