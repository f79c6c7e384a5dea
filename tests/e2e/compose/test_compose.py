"""docker-compose.yml: one command, and there is a cluster of two nodes that runs the sample application."""

from __future__ import annotations

import json
import stat

import pytest

from tests.e2e.compose.conftest import PROJECT, ROOT, SUBNET, Composed
from tests.harness.process import wait_until

pytestmark = pytest.mark.timeout(900)  # the first test waits for the image
SERVICES = ("etcd", "apiserver", "scheduler", "controllers", "node1", "node2")


def health(composed: Composed, service: str) -> str:
    return composed.docker("inspect", "--format", "{{.State.Health.Status}}", f"{PROJECT}_{service}_1").strip()


def _wait_ready(composed: Composed) -> None:
    nodes = ("node/node1", "node/node2")
    for each in nodes:  # kubectl waits for one that is not there, but gives up at once on two
        composed.kubectl("wait", "--for=create", each, "--timeout=60s", seconds=90)
    composed.kubectl("wait", "--for=condition=Ready", *nodes, "--timeout=60s", seconds=90)


def test_every_service_becomes_healthy(composed: Composed) -> None:
    def unhealthy() -> list[str]:
        return [service for service in SERVICES if health(composed, service) != "healthy"]

    wait_until("the health of every service", lambda: not unhealthy(), seconds=90)


def test_both_nodes_are_ready_for_the_administrator_on_the_host(composed: Composed) -> None:
    assert stat.S_IMODE(composed.kubeconfig.stat().st_mode) == 0o600
    _wait_ready(composed)


def test_the_sample_application_answers(composed: Composed) -> None:
    composed.kubectl("apply", "-f", str(ROOT / "examples" / "hello.yaml"))
    composed.kubectl("rollout", "status", "deployment/hello", "--timeout=90s", seconds=120)
    pods = composed.kubectl.get("pods", "-l", "app=hello")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"node1", "node2"}
    service = composed.kubectl.get("service", "hello")["spec"]
    names = {pod["metadata"]["name"] for pod in pods}
    for node in ("node1", "node2"):
        heard = {greeting(composed, node, f"http://{service['clusterIP']}/") for _ in range(30)}
        assert heard == names, f"through the ClusterIP, on {node}"
    for last in (21, 22):
        url = f"http://{SUBNET}.{last}:{service['ports'][0]['nodePort']}/"
        assert "Hello from" in composed.host.run("curl", "-sS", "--max-time", "5", url)


def greeting(composed: Composed, node: str, url: str) -> str:
    """The pod that answered."""
    answer = composed.inside(node, "curl", "-sS", "--max-time", "5", url)
    return answer.removeprefix("Hello from ").split(",")[0]


def test_a_daemon_killed_in_a_node_comes_back(composed: Composed) -> None:
    def control(*words: str) -> str:
        return composed.inside("node2", "supervisorctl", "-c", "/etc/pytheas/supervisord.conf", *words, check=False)

    old = control("pid", "kubelet")
    control("signal", "KILL", "kubelet")
    wait_until("a new kubelet", lambda: control("pid", "kubelet") not in (old, "0\n"), seconds=30)
    wait_until("its health", lambda: "ok" in composed.inside("node2", "curl", "-fsS", "http://127.0.0.1:10248/healthz"))


def test_a_node_that_was_restarted_runs_its_pods_again(composed: Composed) -> None:
    on_node2 = ("pods", "-l", "app=hello", "--field-selector", "spec.nodeName=node2")
    before = composed.kubectl.get(*on_node2)["items"]
    assert before
    composed.docker("restart", f"{PROJECT}_node2_1")

    def back() -> bool:
        pods = composed.kubectl.get(*on_node2)["items"]
        statuses = [status for pod in pods for status in pod["status"]["containerStatuses"]]
        return bool(statuses) and all(status["ready"] and status["restartCount"] > 0 for status in statuses)

    wait_until("the pods of node2", back, seconds=90, every=0.5)
    after = composed.kubectl.get(*on_node2)["items"]
    assert {pod["metadata"]["uid"] for pod in after} == {pod["metadata"]["uid"] for pod in before}


def test_a_control_plane_container_killed_comes_back(composed: Composed) -> None:
    composed.docker("kill", f"{PROJECT}_apiserver_1")
    composed.docker("start", f"{PROJECT}_apiserver_1")
    wait_until("the API server's health", lambda: health(composed, "apiserver") == "healthy", seconds=60)
    _wait_ready(composed)
    assert len(composed.kubectl.get("pods", "-l", "app=hello")["items"]) == 3


def test_up_again_changes_nothing(composed: Composed) -> None:
    def identities() -> dict[str, str]:
        inspected = json.loads(composed.docker("inspect", *(f"{PROJECT}_{service}_1" for service in SERVICES)))
        return {container["Name"]: container["Id"] + container["State"]["StartedAt"] for container in inspected}

    before, kubeconfig = identities(), composed.kubeconfig.read_text()
    composed.compose("up", "--detach", "--no-build")
    assert identities() == before
    assert composed.kubeconfig.read_text() == kubeconfig
