"""Network namespaces that are ready before a pod asks: used once, invisible, taken up again, given back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.e2e.kubelet.conftest import SLEEP, Lab
from tests.harness.process import wait_until

READY = 4


def folder(lab: Lab) -> Path:
    return lab.node.host.folder / "state" / "kubelet" / "netns"


def taken(lab: Lab) -> set[str]:
    """The namespaces of the sandboxes that there are."""
    words = ("ps", "-a", "--filter", "label=io.kubernetes.docker.type=podsandbox")
    return set(lab.docker(*words, "--format", '{{.Label "dev.pytheas.network"}}').split())


def ready(lab: Lab) -> set[str]:
    return {each.name for each in folder(lab).iterdir()} - taken(lab)


def wait_for_ready(lab: Lab) -> set[str]:
    wait_until("the pool to be full", lambda: len(ready(lab)) == READY, every=0.2)
    return ready(lab)


def sandbox(lab: Lab, pod: str) -> dict[str, object]:
    found: list[dict[str, object]] = json.loads(lab.docker("inspect", *lab.containers(pod, "POD")))
    return found[0]


def namespace(lab: Lab, pid: object) -> str:
    return os.readlink(f"/proc/{pid}/ns/net")


def test_a_pod_gets_one_of_those_that_are_ready(lab: Lab, pod: Callable[..., str]) -> None:
    before = wait_for_ready(lab)
    name = pod(SLEEP)
    lab.ready(name)
    (used,) = taken(lab) & before
    pid = int(lab.docker("inspect", "-f", "{{.State.Pid}}", *lab.containers(name, "main")))
    assert namespace(lab, pid) != namespace(lab, lab.node.kubelet.pid)
    assert lab.execute(name, "hostname").strip() == name
    assert lab.status(name)["podIP"] in lab.execute(name, "ip", "-4", "addr", "show", "eth0")
    assert "lo: <LOOPBACK,UP" in lab.execute(name, "ip", "link")
    assert len(wait_for_ready(lab) - before) == 1
    lab.delete(f"pod/{name}")
    wait_until("its namespace to go", lambda: not (folder(lab) / used).exists())


def test_the_pause_program_can_do_nothing_but_join(lab: Lab, pod: Callable[..., str]) -> None:
    name = pod(SLEEP)
    lab.ready(name)
    host = sandbox(lab, name)["HostConfig"]
    assert isinstance(host, dict)
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], ["SYS_ADMIN"])


def test_docker_makes_the_namespace_where_containers_come_near_the_pause_program(
    lab: Lab, pod: Callable[..., str]
) -> None:
    name = pod(SLEEP, shareProcessNamespace=True)
    lab.ready(name)
    host = sandbox(lab, name)["HostConfig"]
    assert isinstance(host, dict)
    assert (host["NetworkMode"], host["CapAdd"]) == ("none", None)


def test_a_restarted_kubelet_takes_up_what_is_ready_and_sweeps_what_is_lost(lab: Lab, pod: Callable[..., str]) -> None:
    name = pod(SLEEP)
    lab.ready(name)
    before = wait_for_ready(lab)
    lost = folder(lab) / "ns-lost"
    lost.touch()
    lab.node.kubelet.kill()
    lab.node.kubelet.start()
    wait_until("the lost file to go", lambda: not lost.exists())
    assert ready(lab) == before
    assert lab.container(name)["restartCount"] == 0
    assert lab.status(name)["podIP"] in lab.execute(name, "ip", "-4", "addr", "show", "eth0")
