"""Faults are normal: whatever is killed comes back, and a rollout that was under way ends right."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import manifests
from tests.harness.cluster import Cluster
from tests.harness.host import run
from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until

REPLICAS = 4


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of this module's own, since it is broken on purpose."""
    flags = {"controllers": ("--node-monitor-grace-period", "15s", "--node-monitor-period", "1s")}
    with Cluster("pyf", nodes=1, prefix="172.29.11", flags=flags) as running:
        yield running


@pytest.fixture
def kubectl(cluster: Cluster) -> Kubectl:
    return cluster.kubectl


def containers_of(cluster: Cluster, pod: str, kind: str) -> list[str]:
    filters = [f"label=io.kubernetes.pod.name={pod}", f"label=io.kubernetes.docker.type={kind}", "status=running"]
    words = [word for each in filters for word in ("--filter", each)]
    return run("docker", "-H", cluster.nodes[0].host.docker, "ps", "-q", "--no-trunc", *words).split()


def status_of(kubectl: Kubectl, pod: str) -> dict[str, Any]:
    found: dict[str, Any] = kubectl.get("pod", pod)["status"]["containerStatuses"][0]
    return found


def test_a_killed_container_is_restarted_and_counted(cluster: Cluster, kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps(manifests.pod("victim", "sleep 600")))
    kubectl("wait", "--for=condition=Ready", "pod/victim", "--timeout=30s")
    (container,) = containers_of(cluster, "victim", "container")
    run("docker", "-H", cluster.nodes[0].host.docker, "kill", "--signal=KILL", container)
    wait_until("the restart", lambda: status_of(kubectl, "victim")["restartCount"] == 1)
    wait_until("the new container", lambda: "running" in status_of(kubectl, "victim")["state"])
    last = kubectl.get("pod", "victim")["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert last["exitCode"] == 137
    assert last["containerID"] == f"docker://{container}"
    kubectl("delete", "pod", "victim")


def test_a_removed_sandbox_is_made_anew(cluster: Cluster, kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps(manifests.pod("boxed", "sleep 600")))
    kubectl("wait", "--for=condition=Ready", "pod/boxed", "--timeout=30s")
    (sandbox,) = containers_of(cluster, "boxed", "podsandbox")
    run("docker", "-H", cluster.nodes[0].host.docker, "rm", "-f", sandbox)
    wait_until("a new sandbox", lambda: containers_of(cluster, "boxed", "podsandbox") not in ([], [sandbox]))
    wait_until("a running container in it", lambda: len(containers_of(cluster, "boxed", "container")) == 1)
    wait_until("the pod to be ready", lambda: status_of(kubectl, "boxed")["ready"])
    host = cluster.nodes[0].host
    address = kubectl.get("pod", "boxed")["status"]["podIP"]
    (container,) = containers_of(cluster, "boxed", "container")
    assert address in run("docker", "-H", host.docker, "exec", container, "ip", "addr")
    kubectl("delete", "pod", "boxed")


class Overseer(threading.Thread):
    """Counts, over and over, the pods of a Deployment; keeps the most and the fewest ready it has seen."""

    def __init__(self, kubectl: Kubectl, app: str) -> None:
        super().__init__(daemon=True)
        self._kubectl, self._app = kubectl, app
        self._over = threading.Event()
        self.most, self.fewest_ready = 0, REPLICAS

    def run(self) -> None:
        while not self._over.wait(0.2):
            answer = self._kubectl.run("get", "pods", "-l", f"app={self._app}", "-o", "json")
            if answer.code:
                continue  # the API server is the one that was killed
            pods = [pod for pod in json.loads(answer.out)["items"] if "deletionTimestamp" not in pod["metadata"]]
            ready = [pod for pod in pods if _is_ready(pod)]
            self.most = max(self.most, len(pods))
            self.fewest_ready = min(self.fewest_ready, len(ready))

    def end(self) -> None:
        self._over.set()
        self.join()


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@pytest.mark.parametrize("victim", ["apiserver", "scheduler", "controllers", "etcd", "kubelet pyf-1", "proxy pyf-1"])
def test_a_rolling_update_survives_the_death_of(victim: str, cluster: Cluster, kubectl: Kubectl) -> None:
    app = f"roll-{victim.split()[0]}"
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    kubectl("apply", "-f", "-", stdin=json.dumps(manifests.deployment(app, REPLICAS, strategy=strategy)))
    kubectl("rollout", "status", f"deployment/{app}", "--timeout=60s", seconds=90)
    overseer = Overseer(kubectl, app)
    overseer.start()
    kubectl("set", "env", f"deployment/{app}", "VERSION=2")
    # In the middle of it: the new ReplicaSet has pods, the old one has not gone.
    wait_until("the update to be under way", lambda: _updated(kubectl, app) >= 1)
    process = cluster.processes()[victim]
    process.kill()
    time.sleep(1)  # the outage itself, during which the others must carry on
    process.start()
    wait_until("the end of the rollout", lambda: _rolled_out(kubectl, app), 90)
    overseer.end()
    assert overseer.most <= REPLICAS + 1, "more pods than maxSurge allows"
    assert overseer.fewest_ready >= REPLICAS - 1, "fewer ready pods than maxUnavailable allows"
    pods = kubectl.get("pods", "-l", f"app={app}")["items"]
    alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert len(alive) == REPLICAS
    assert all(pod["spec"]["containers"][0]["env"] == [{"name": "VERSION", "value": "2"}] for pod in alive)
    assert all(pod["status"]["containerStatuses"][0]["restartCount"] == 0 for pod in alive)
    kubectl("delete", "deployment", app)
    kubectl("wait", "--for=delete", "pod", "-l", f"app={app}", "--timeout=60s", seconds=90)


def _updated(kubectl: Kubectl, app: str) -> int:
    return int(kubectl.get("deployment", app)["status"].get("updatedReplicas", 0))


def _rolled_out(kubectl: Kubectl, app: str) -> bool:
    answer = kubectl.run("rollout", "status", f"deployment/{app}", "--watch=false")
    return answer.code == 0 and "successfully rolled out" in answer.out


def test_a_node_that_is_cut_off_is_told_and_its_pods_move(cluster: Cluster, kubectl: Kubectl) -> None:
    second = cluster.add_node("pyf-2")
    cluster.wait_ready(second)
    kubectl("cordon", "pyf-1")
    toleration = [
        {"key": f"node.kubernetes.io/{reason}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}
        for reason in ("not-ready", "unreachable")
    ]
    mover = manifests.deployment("mover", 2)
    mover["spec"]["template"]["spec"]["tolerations"] = toleration
    kubectl("apply", "-f", "-", stdin=json.dumps(mover))
    kubectl("rollout", "status", "deployment/mover", "--timeout=60s", seconds=90)
    kubectl("uncordon", "pyf-1")
    second.host.cut_off()
    kubectl("wait", "--for=condition=Ready=Unknown", "node/pyf-2", "--timeout=60s", seconds=90)

    def moved() -> bool:
        pods = kubectl.get("pods", "-l", "app=mover")["items"]
        return len([pod for pod in pods if _is_ready(pod) and pod["spec"]["nodeName"] == "pyf-1"]) == 2

    wait_until("both pods on the other node", moved, 60)
    second.host.join_again()
    cluster.wait_ready(second)
    kubectl("delete", "deployment", "mover")
    wait_until("no pod of it left", lambda: not kubectl.get("pods", "-l", "app=mover")["items"], 60)


def test_a_restarted_kubelet_adopts_what_runs(cluster: Cluster, kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps(manifests.pod("kept", "sleep 600", nodeName="pyf-1")))
    kubectl("wait", "--for=condition=Ready", "pod/kept", "--timeout=30s")
    before = containers_of(cluster, "kept", "container") + containers_of(cluster, "kept", "podsandbox")
    kubelet = cluster.nodes[0].kubelet
    kubelet.kill()
    kubelet.start()
    host = cluster.nodes[0].host
    wait_until("the kubelet to know the pod", lambda: '"kept"' in host.run("curl", "-s", "http://127.0.0.1:10255/pods"))
    kubectl("apply", "-f", "-", stdin=json.dumps(manifests.pod("after", "sleep 600", nodeName="pyf-1")))
    kubectl("wait", "--for=condition=Ready", "pod/after", "--timeout=30s")  # so it has done its first round
    assert len(before) == 2
    assert containers_of(cluster, "kept", "container") + containers_of(cluster, "kept", "podsandbox") == before
    assert status_of(kubectl, "kept")["restartCount"] == 0
    kubectl("delete", "pod", "kept", "after")


def test_a_cordoned_node_gets_nothing(cluster: Cluster, kubectl: Kubectl) -> None:
    for node in cluster.nodes:
        kubectl("cordon", node.name)
    try:
        kubectl("apply", "-f", "-", stdin=json.dumps(manifests.pod("nowhere", "sleep 600")))
        count = len(cluster.nodes)
        expected = f"0/{count} nodes are available: {count} node(s) were unschedulable"
        wait_until("the reason", lambda: expected in kubectl("describe", "pod", "nowhere"))
    finally:
        for node in cluster.nodes:
            kubectl("uncordon", node.name)
    kubectl("wait", "--for=condition=Ready", "pod/nowhere", "--timeout=30s")
    kubectl("delete", "pod", "nowhere")
