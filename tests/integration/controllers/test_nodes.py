"""Nodes that fall silent, come back, or are deleted; the times are short."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Any

import pytest

from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until


@pytest.fixture(scope="module")
def flags() -> tuple[str, ...]:
    short = ("--node-monitor-grace-period", "2s", "--node-startup-grace-period", "3s", "--pod-eviction-timeout", "2s")
    return (*short, "--orphaned-pod-gc-delay", "1s", "--node-eviction-rate", "10")


@dataclass
class Heart(AbstractContextManager["Heart"]):
    """A node that beats: its Lease is renewed twice a second until it stops."""

    kube: Kubectl
    name: str
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> Heart:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name}}
        self.kube("create", "-f", "-", stdin=json.dumps(node))
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": self.name, "leaseDurationSeconds": 40},
        }
        self.kube("create", "-n", "kube-node-lease", "-f", "-", stdin=json.dumps(lease))
        self.beat()
        return self

    def beat(self) -> None:
        """Report ready and go on renewing."""
        self._stop.clear()
        self.report("True")
        self._thread = Thread(target=self._renew)
        self._thread.start()

    def report(self, ready: str) -> None:
        status = {"conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": _now()}]}
        self.kube("patch", "node", self.name, "--subresource=status", "-p", json.dumps({"status": status}))

    def fall_silent(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _renew(self) -> None:
        while not self._stop.wait(0.5):
            patch = json.dumps({"spec": {"renewTime": _now(f".{time.time_ns() // 1000 % 1_000_000:06d}Z")}})
            self.kube("patch", "lease", self.name, "-n", "kube-node-lease", "--type=merge", "-p", patch)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fall_silent()
        self.kube("delete", "node", self.name, "--ignore-not-found")
        self.kube("delete", "lease", self.name, "-n", "kube-node-lease", "--ignore-not-found")


def _now(end: str = "Z") -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + end


def ready(kube: Kubectl, node: str) -> str:
    conditions = kube.get("node", node)["status"].get("conditions", [])
    return next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "")


def taints(kube: Kubectl, node: str) -> set[tuple[str, str]]:
    return {
        (each["key"].rpartition("/")[2], each["effect"]) for each in kube.get("node", node)["spec"].get("taints", [])
    }


def pod_on(kube: Kubectl, name: str, node: str, **spec: Any) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "app:1"}], **spec},
    }
    kube("create", "-f", "-", stdin=json.dumps(body))
    running = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    kube("patch", "pod", name, "--subresource=status", "-p", json.dumps(running))


def pod_ready(kube: Kubectl, pod: str) -> bool:
    conditions = kube.get("pod", pod)["status"]["conditions"]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def gone(kube: Kubectl, pod: str) -> Callable[[], bool]:
    """Deleted, or about to be: there is no kubelet to end it."""

    def check() -> bool:
        answer = kube.run("get", "pod", pod, "-o", "json")
        return answer.code != 0 or "deletionTimestamp" in json.loads(answer.out)["metadata"]

    return check


def test_a_new_node_gets_its_range_and_loses_its_taint(kube: Kubectl) -> None:
    with Heart(kube, "fresh"), Heart(kube, "second"):
        wait_until("ranges", lambda: all(kube.get("node", name)["spec"].get("podCIDR") for name in ("fresh", "second")))
        ranges = {kube.get("node", name)["spec"]["podCIDR"] for name in ("fresh", "second")}
        assert len(ranges) == 2
        assert all(each.startswith("10.244.") and each.endswith(".0/24") for each in ranges)
        wait_until("no taints", lambda: not taints(kube, "fresh"))
        kube("cordon", "fresh")
        wait_until("a taint", lambda: taints(kube, "fresh") == {("unschedulable", "NoSchedule")})
        kube("uncordon", "fresh")
        wait_until("no taint", lambda: not taints(kube, "fresh"))


def test_a_silent_node_is_lost_and_found(kube: Kubectl, namespace: Kubectl) -> None:
    with Heart(kube, "steady"), Heart(kube, "fickle") as fickle:
        pod_on(namespace, "plain", "fickle")
        pod_on(namespace, "patient", "fickle", tolerations=[{"operator": "Exists", "effect": "NoExecute"}])
        pod_on(namespace, "elsewhere", "steady")
        time.sleep(3)
        assert ready(kube, "fickle") == "True"
        fickle.fall_silent()
        wait_until("the node to be lost", lambda: ready(kube, "fickle") == "Unknown", seconds=8)
        (condition,) = [each for each in kube.get("node", "fickle")["status"]["conditions"] if each["type"] == "Ready"]
        assert condition["reason"] == "NodeStatusUnknown"
        assert condition["message"] == "Kubelet stopped posting node status."
        wait_until(
            "taints",
            lambda: taints(kube, "fickle") == {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")},
        )
        wait_until("its pods not to be ready", lambda: not pod_ready(namespace, "patient"))
        assert ready(kube, "steady") == "True"
        assert not gone(namespace, "elsewhere")()
        assert not gone(namespace, "patient")()
        fickle.beat()
        wait_until("the taints to go", lambda: not taints(kube, "fickle"))
        events = kube("get", "events", "-A", "-o", "custom-columns=M:.message", "--no-headers")
        assert "Node fickle status is now: NodeNotReady" in events


def test_pods_leave_a_lost_node(kube: Kubectl, namespace: Kubectl) -> None:
    with Heart(kube, "well"), Heart(kube, "lost") as lost:
        bears = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}
        pod_on(namespace, "short", "lost", tolerations=[{**bears, "key": "node.kubernetes.io/unreachable"}])
        pod_on(namespace, "patient", "lost", tolerations=[{"operator": "Exists"}])
        pod_on(namespace, "safe", "well")
        lost.fall_silent()
        wait_until("eviction", gone(namespace, "short"), seconds=15)
        assert not gone(namespace, "patient")()
        assert not gone(namespace, "safe")()
        conditions = {each["type"]: each for each in namespace.get("pod", "short")["status"]["conditions"]}
        assert conditions["DisruptionTarget"]["reason"] == "DeletionByTaintManager"


def test_the_last_node_keeps_its_pods(kube: Kubectl, namespace: Kubectl) -> None:
    """When everything seems lost, more likely this process is."""
    with Heart(kube, "alone") as alone:
        pod_on(namespace, "kept", "alone", tolerations=[{"key": "x", "operator": "Exists"}])
        alone.fall_silent()
        wait_until("the node to be lost", lambda: ready(kube, "alone") == "Unknown", seconds=8)
        wait_until("its taint", lambda: ("unreachable", "NoSchedule") in taints(kube, "alone"))
        time.sleep(1)
        assert ("unreachable", "NoExecute") not in taints(kube, "alone")


def test_pods_of_a_deleted_node_go(kube: Kubectl, namespace: Kubectl) -> None:
    with Heart(kube, "short-lived") as node:
        pod_on(namespace, "orphan", "short-lived")
        node.fall_silent()
        kube("delete", "node", "short-lived")
        wait_until("removal", lambda: namespace.run("get", "pod", "orphan").code != 0, seconds=10)
