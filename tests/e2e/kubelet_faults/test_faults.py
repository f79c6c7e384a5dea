"""What a node meets: what is running stays running, what should restart does, and the news arrives afterwards."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest
from tests.harness.process import wait_until

MINUTES = pytest.param(300.0, marks=[pytest.mark.soak, pytest.mark.timeout(480)], id="five minutes")

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


def running(lab: Lab, pod: str) -> str:
    """The id of the container that runs, or nothing."""
    return next(iter(lab.containers(pod, "main")), "")


def kill(lab: Lab, pod: str) -> str:
    container = running(lab, pod)
    lab.docker("kill", "--signal=KILL", container)
    return container


def wait_restarted(lab: Lab, pod: str, before: str, seconds: float = 10) -> None:
    wait_until(f"{pod} to run again", lambda: running(lab, pod) not in ("", before), seconds)


def told_restarted(lab: Lab, pod: str) -> bool:
    return bool(lab.container(pod)["restartCount"] == 1)


@pytest.mark.parametrize("seconds", [8.0, MINUTES])
def test_pods_restarts_and_probes_go_on_without_the_api_server(
    lab: Lab, pod: Callable[..., str], seconds: float
) -> None:
    quiet = pod(SLEEP)
    victim = pod(SLEEP)
    probe = {"exec": {"command": ["test", "-e", "/tmp/alive"]}, "periodSeconds": 1, "failureThreshold": 2}
    probed = pod("touch /tmp/alive; " + SLEEP, {"livenessProbe": probe})
    for each in (quiet, victim, probed):
        lab.ready(each)
    before = running(lab, quiet)
    lab.node.host.cut_off()
    try:
        wait_restarted(lab, victim, kill(lab, victim))
        sick = running(lab, probed)
        lab.execute(probed, "rm", "/tmp/alive")
        wait_restarted(lab, probed, sick, seconds=20)
        until = time.monotonic() + seconds
        wait_until("the time to pass", lambda: time.monotonic() > until, seconds + 1)
    finally:
        lab.node.host.join_again()
    for each in (victim, probed):
        wait_until("the news of the restart", partial(told_restarted, lab, each), 30)
    assert lab.container(victim)["lastState"]["terminated"]["exitCode"] == 137
    assert (running(lab, quiet), lab.container(quiet)["restartCount"]) == (before, 0)
    for each in (quiet, victim, probed):
        lab.ready(each)


@pytest.fixture
def small_disk(lab: Lab) -> Iterator[Path]:
    """The kubelet's folder on a disk of 4 MiB; the one it had before comes back."""
    folder = lab.node.host.folder / "state" / "kubelet"
    lab.node.kubelet.stop()
    lab.node.host.run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder))
    lab.node.kubelet.start()
    try:
        yield folder
    finally:
        lab.clear()
        lab.node.kubelet.stop()
        lab.node.host.run("umount", "--lazy", str(folder))
        lab.node.kubelet.start()
        lab.cluster.wait_ready(lab.node)


def test_a_full_disk_holds_up_only_what_has_to_write(lab: Lab, small_disk: Path) -> None:
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "large"},
        "data": {"text": "x" * 200_000},
    }
    lab.apply(settings, manifest("before", SLEEP))
    lab.ready("before")
    kept = running(lab, "before")
    lab.node.host.run("dd", "if=/dev/zero", f"of={small_disk}/filler", "bs=64k", check=False)
    volumes = [{"name": "settings", "configMap": {"name": "large"}}]
    mounts = {"volumeMounts": [{"name": "settings", "mountPath": "/settings"}]}
    lab.apply(manifest("writer", SLEEP, mounts, volumes=volumes))
    lab.has_event("writer", "FailedMount", "No space left on device")
    assert (running(lab, "before"), lab.container("before")["restartCount"]) == (kept, 0)
    lab.node.host.run("rm", f"{small_disk}/filler")
    lab.ready("writer")
    assert lab.execute("writer", "wc", "-c", "/settings/text").split()[0] == "200000"


@pytest.mark.parametrize("seconds", [5.0, pytest.param(45.0, marks=pytest.mark.soak, id="past every deadline")])
def test_docker_that_hangs_changes_nothing_that_runs(lab: Lab, pod: Callable[..., str], seconds: float) -> None:
    kept = pod(SLEEP)
    lab.ready(kept)
    before = running(lab, kept)
    engine = lab.node.host.engine
    assert engine is not None
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        waits = pod(SLEEP)
        until = time.monotonic() + seconds
        wait_until("the time to pass", lambda: time.monotonic() > until, seconds + 1)
        health = lab.node.host.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:10255/pods")
        assert health == "200"
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    lab.ready(waits)
    assert (running(lab, kept), lab.container(kept)["restartCount"]) == (before, 0)


@pytest.fixture
def clock(lab: Lab, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Sets the kubelet's clock by an offset: `+3600`."""
    file = tmp_path / "offset"
    file.write_text("+0")
    kubelet = lab.node.kubelet
    kubelet.stop()
    plain = kubelet.env
    kubelet.env = {
        **plain,
        "LD_PRELOAD": FAKETIME,
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    kubelet.start()
    try:
        yield lambda offset: (file.write_text(offset), None)[1]
    finally:
        lab.clear()
        kubelet.stop()
        kubelet.env = plain
        kubelet.start()


def test_a_clock_that_steps_neither_ends_nor_holds_up_anything(
    lab: Lab, pod: Callable[..., str], clock: Callable[[str], None]
) -> None:
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1}
    kept = pod(SLEEP, {"livenessProbe": probe, "readinessProbe": probe})
    deaf = pod("trap '' TERM; while :; do sleep 1; done")
    victim = pod(SLEEP)
    for each in (kept, deaf, victim):
        lab.ready(each)
    before = running(lab, kept)
    for offset in ("+1800", "-200"):
        clock(offset)
        wait_restarted(lab, victim, kill(lab, victim), seconds=25)  # the second time after a back-off of 10 s
        fresh = pod(SLEEP)
        lab.ready(fresh)
    lab.delete(f"pod/{deaf}")
    assert (running(lab, kept), lab.container(kept)["restartCount"]) == (before, 0)
    assert lab.conditions(kept)["Ready"] == "True"
