"""One pod on a quiet node: from its creation to a running container, from a kill to the next run, from a ConfigMap's
change to the file.

Limit: `docker run` of the same image on the same engine, with a bridge network, as people type it. Starts are taken
from Docker's own records of both.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from bench.node import Site, site
from bench.table import Row
from tests.harness.process import wait_until

ROUNDS = 9
IMAGE = "busybox:1"
COMMAND = ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"]
REST = 1.5
"""Seconds between two rounds: one pod on a quiet node is what is measured."""
PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"


def measure() -> Iterable[Row]:
    with site() as here:
        here.start()
        wait_until("a Ready node", here.node_ready, seconds=60)
        _docker(here, "network", "create", "bench")
        _pod(here, "first")  # whatever is made once only is made
        pods, runs, bare = [], [], []
        for number in range(ROUNDS):
            pods.append(_resting(partial(_pod, here, f"bench-{number}")))
            runs.append(_resting(partial(_run, here, "bench")))
            bare.append(_resting(partial(_run, here, "none")))
        limit = statistics.median(runs)
        note = f"without a network docker run takes {statistics.median(bare) * 1000:.0f} ms"
        yield Row(
            "apply → container running, one pod", statistics.median(pods), "s", limit, "docker run", 0, False, note, 0.9
        )
        yield Row("kill → container running again", _restart(here), "s", limit, "docker run", 0.5)
        yield Row("ConfigMap change → file changed", _change(here), "s", limit, "docker run", 2)


def _resting(measured: Callable[[], float]) -> float:
    time.sleep(REST)
    return measured()


def _pod(here: Site, name: str) -> float:
    """Seconds from the request to Docker's start of the container; the pod is gone again afterwards."""
    asked = time.time()
    here.plane.target().make(PODS, _manifest(name))
    wait_until(f"{name} to run", lambda: _is_running(here, name), every=0.02)
    seconds = _started_at(here, _container(here, name)) - asked
    _delete(here, name)
    return seconds


def _run(here: Site, network: str) -> float:
    asked = time.time()
    started = _docker(here, "run", "-d", "--network", network, IMAGE, *COMMAND)
    seconds = _started_at(here, started) - asked
    _docker(here, "rm", "-f", started)
    return seconds


def _restart(here: Site) -> float:
    """Seconds from SIGKILL to the container's next start."""
    here.plane.target().make(PODS, _manifest("killed", policy="Always"))
    wait_until("a pod to run", lambda: _is_running(here, "killed"))
    first = _container(here, "killed")
    time.sleep(REST)
    pid = int(_docker(here, "inspect", "-f", "{{.State.Pid}}", first))
    asked = time.time()
    os.kill(pid, signal.SIGKILL)
    wait_until("it to run again", lambda: _container(here, "killed") not in ("", first), every=0.02)
    seconds = _started_at(here, _container(here, "killed")) - asked
    _delete(here, "killed")
    return seconds


def _change(here: Site) -> float:
    """Seconds from the answer to a ConfigMap's update to the new text in the container."""
    settings: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    here.plane.target().make(MAPS, {**settings, "data": {"mode": "before"}})
    body = _manifest("reader")
    body["spec"]["volumes"] = [{"name": "settings", "configMap": {"name": "settings"}}]
    body["spec"]["containers"][0]["volumeMounts"] = [{"name": "settings", "mountPath": "/settings"}]
    here.plane.target().make(PODS, body)
    wait_until("a pod to run", lambda: _is_running(here, "reader"))
    container = _container(here, "reader")
    assert here.plane.target().send("PUT", f"{MAPS}/settings", {**settings, "data": {"mode": "after"}}).status == 200
    asked = time.perf_counter()
    wait_until(
        "the file to change", lambda: _docker(here, "exec", container, "cat", "/settings/mode") == "after", every=0.01
    )
    seconds = time.perf_counter() - asked
    _delete(here, "reader")
    return seconds


def _manifest(name: str, policy: str = "Never") -> dict[str, Any]:
    container = {"name": "app", "image": IMAGE, "imagePullPolicy": "Never", "command": COMMAND}
    spec = {"containers": [container], "restartPolicy": policy, "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _is_running(here: Site, name: str) -> bool:
    statuses = here.plane.target().get(f"{PODS}/{name}").json().get("status", {}).get("containerStatuses", ())
    return any("running" in each["state"] for each in statuses)


def _delete(here: Site, name: str) -> None:
    here.plane.target().send("DELETE", f"{PODS}/{name}")
    wait_until(f"the end of {name}", lambda: here.plane.target().get(f"{PODS}/{name}").status == 404)


def _container(here: Site, pod: str) -> str:
    """The id of the container of a pod that runs, or nothing."""
    labels = [f"label=io.kubernetes.pod.name={pod}", "label=io.kubernetes.container.name=app"]
    words = [word for each in labels for word in ("--filter", each)]
    return _docker(here, "ps", "-q", "--no-trunc", *words)


def _started_at(here: Site, container: str) -> float:
    (found,) = json.loads(_docker(here, "inspect", container))
    return datetime.fromisoformat(found["State"]["StartedAt"]).timestamp()


def _docker(here: Site, *words: str) -> str:
    return subprocess.run(here.docker(*words), capture_output=True, text=True, check=True).stdout.strip()
