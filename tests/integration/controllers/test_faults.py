"""Processes killed in the midst of their work: what was begun is ended, with no pod too many or too few."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.control import ControlPlane
from tests.harness.kubectl import Kubectl
from tests.harness.process import SCRIPTS, Process, wait_until
from tests.integration.controllers.conftest import FLAGS
from tests.integration.controllers.simulation import Count, Simulation
from tests.integration.controllers.test_rollout import manifest, rolled_out, sets


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[ControlPlane, Kubectl, Simulation]]:
    """A control plane of the test's own, as it does not leave it as it was."""
    plane = ControlPlane(tmp_path, daemons=("controllers",), flags={"controllers": FLAGS})
    with plane, Simulation(plane.admin_conf) as simulation:
        simulation.nodes.start_delay = simulation.nodes.stop_delay = 0.1
        yield plane, Kubectl(plane.admin_conf), simulation


def wait_for_progress(count: Count, changes: int) -> None:
    goal = len(count.history) + changes
    wait_until("pods to come and go", lambda: len(count.history) >= goal, every=0.005)


def ended_right(kube: Kubectl, count: Count, replicas: int = 10) -> None:
    rolled_out(kube)
    wait_until("the old pods to go", lambda: len(kube.get("pods")["items"]) == replicas)
    sizes = {image: item["spec"]["replicas"] for image, item in sets(kube).items()}
    assert sizes == {"app:1": 0, "app:2": replicas}
    assert count.most <= 13, count.history
    assert count.fewest_ready >= 8, count.history


@pytest.mark.parametrize("after", [1, 3, 7, 12])
def test_controllers_killed_during_an_update(cluster: tuple[ControlPlane, Kubectl, Simulation], after: int) -> None:
    plane, kube, simulation = cluster
    kube("apply", "-f", "-", stdin=manifest(replicas=10))
    rolled_out(kube)
    count = simulation.count("default", "web", ready=10)
    kube("set", "image", "deployment/web", "app=app:2")
    for _ in range(2):
        wait_for_progress(count, after)
        plane.daemons["controllers"].kill()
        plane.daemons["controllers"].start()
    ended_right(kube, count)


@pytest.mark.parametrize("after", [2, 6, 14])
def test_api_server_killed_during_an_update(cluster: tuple[ControlPlane, Kubectl, Simulation], after: int) -> None:
    plane, kube, simulation = cluster
    kube("apply", "-f", "-", stdin=manifest(replicas=10))
    rolled_out(kube)
    count = simulation.count("default", "web", ready=10)
    kube("set", "image", "deployment/web", "app=app:2")
    for _ in range(2):
        wait_for_progress(count, after)
        plane.apiserver.kill()
        plane.start_apiserver()
    ended_right(kube, count)


def test_etcd_killed_during_an_update(cluster: tuple[ControlPlane, Kubectl, Simulation]) -> None:
    plane, kube, simulation = cluster
    assert plane.etcd is not None
    kube("apply", "-f", "-", stdin=manifest(replicas=10))
    rolled_out(kube)
    count = simulation.count("default", "web", ready=10)
    kube("set", "image", "deployment/web", "app=app:2")
    wait_for_progress(count, 6)
    plane.etcd.process.kill()
    plane.etcd.start()
    ended_right(kube, count)


def test_everything_killed_while_pods_are_made(cluster: tuple[ControlPlane, Kubectl, Simulation]) -> None:
    """Creations whose answers were lost are asked for again by name: there is never an eleventh pod."""
    plane, kube, simulation = cluster
    count = simulation.count("default", "web")
    kube("apply", "-f", "-", stdin=manifest(replicas=10))
    wait_for_progress(count, 4)
    plane.apiserver.kill()
    plane.start_apiserver()
    wait_for_progress(count, 1)
    plane.apiserver.kill()
    plane.daemons["controllers"].kill()
    plane.start_apiserver()
    plane.daemons["controllers"].start()
    rolled_out(kube)
    assert count.most == 10, count.history
    assert len(kube.get("pods")["items"]) == 10


def test_a_killed_leader_is_followed_at_once(cluster: tuple[ControlPlane, Kubectl, Simulation]) -> None:
    plane, kube, _ = cluster
    wait_until("a leader", lambda: _holder(kube))
    holder = _holder(kube)
    plane.daemons["controllers"].kill()
    plane.daemons["controllers"].start()
    kube("create", "namespace", "after")
    wait_until("the new leader's work", lambda: kube.run("get", "sa", "default", "-n", "after").code == 0, seconds=6)
    assert _holder(kube) == holder


def test_a_leader_that_stops_hands_over(cluster: tuple[ControlPlane, Kubectl, Simulation], tmp_path: Path) -> None:
    plane, kube, _ = cluster
    wait_until("a leader", lambda: _holder(kube))
    first = _holder(kube)
    argv = [str(SCRIPTS / "python"), "-m", "controllers.main", "--health-bind", "127.0.0.1:0"]
    second = Process("second", [*argv, "--kubeconfig", str(plane.layout.kubeconfig("controllers"))], tmp_path).start()
    try:
        assert plane.daemons["controllers"].stop() == 0
        wait_until("the other to lead", lambda: _holder(kube) not in ("", first), seconds=10)
        kube("create", "namespace", "handed-over")
        wait_until("its work", lambda: kube.run("get", "sa", "default", "-n", "handed-over").code == 0, seconds=5)
    finally:
        second.stop()


def _holder(kube: Kubectl) -> str:
    path = "jsonpath={.spec.holderIdentity}"
    return kube.run("get", "lease", "kube-controller-manager", "-n", "kube-system", "-o", path).out
