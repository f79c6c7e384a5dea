"""From the start of all daemons at once to a node that is Ready, and to the default ServiceAccount.

Limit: all the daemons' programs loaded at once (`--help`) beside an etcd that starts: nothing can be ready sooner.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable

from bench.node import Site, site
from bench.plane import Plane
from bench.table import Row
from tests.harness.process import SCRIPTS, wait_until

DAEMONS = ("apiserver", "scheduler", "controllers", "kubelet", "proxy")


def measure() -> Iterable[Row]:
    with site(started=False) as here:
        limit = _load_all()
        started = time.perf_counter()
        for process in (*here.plane.processes.values(), here.kubelet, here.proxy):
            process.start()
        account = _seconds(started, "the default ServiceAccount", lambda: _has_account(here.plane))
        ready = _seconds(started, "a Ready node", lambda: _node_ready(here))
    yield Row("start of the daemons → node Ready", ready, "s", limit, "all programs loaded, etcd up", 5)
    yield Row("start of the daemons → default ServiceAccount", account, "s", limit, "all programs loaded, etcd up", 2)


def _seconds(started: float, what: str, condition: Callable[[], bool]) -> float:
    wait_until(what, condition, seconds=60, every=0.02)
    return time.perf_counter() - started


def _has_account(plane: Plane) -> bool:
    return plane.target().get("/api/v1/namespaces/default/serviceaccounts/default").status == 200


def _node_ready(here: Site) -> bool:
    return here.node_ready()


def _load_all() -> float:
    with Plane() as plane:
        plane.stop_all()
        started = time.perf_counter()
        plane.processes["etcd"].start()
        python, env = str(SCRIPTS / "python"), plane.processes["etcd"].env
        loading = [
            subprocess.Popen([python, "-m", f"{name}.main", "--help"], stdout=subprocess.DEVNULL, env=env)
            for name in DAEMONS
        ]
        for process in loading:
            assert process.wait(60) == 0
        plane.processes["etcd"].wait_for("etcd", plane.etcd_answers)
        return time.perf_counter() - started
