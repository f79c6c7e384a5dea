"""Pods go where their volumes are: scheduler and controllers together, on nodes that are only objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.control import ControlPlane
from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until
from tests.integration.controllers.test_volumes import apply, becomes, claim, volume

LAZY = "lazy"


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    flags = {"controllers": ("--node-startup-grace-period", "5m", "--orphaned-pod-gc-delay", "5m")}
    folder = tmp_path_factory.mktemp("volumes")
    with ControlPlane(folder, daemons=("scheduler", "controllers"), flags=flags) as running:
        found = Kubectl(running.admin_conf)
        found("wait", "--for=create", "serviceaccount/default", "--timeout=20s")
        lazy = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": LAZY},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
        apply(found, lazy, *(node(f"n{number}") for number in range(3)))
        yield found


def node(name: str) -> dict[str, Any]:
    ready = [{"type": "Ready", "status": "True"}]
    status = {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}, "conditions": ready}
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}


def local(name: str, where: str, **spec: Any) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [where]}]}
    affinity = {"required": {"nodeSelectorTerms": [term]}}
    made = volume(name, local={"path": f"/mnt/{name}"}, nodeAffinity=affinity, **spec)
    del made["spec"]["hostPath"]
    return made


def pod(name: str, *claims: str, **spec: Any) -> dict[str, Any]:
    volumes = [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in claims]
    body = {"containers": [{"name": "main", "image": "app:1"}], "volumes": volumes, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}


def why_pending(kube: Kubectl, name: str, part: str) -> None:
    def told() -> bool:
        conditions = kube.get("pod", name).get("status", {}).get("conditions", [])
        return any(part in each.get("message", "") for each in conditions if each["type"] == "PodScheduled")

    wait_until(f"{name} to be told {part!r}", told, 20, every=0.2)


def node_of(kube: Kubectl, name: str) -> str:
    kube("wait", "--for=condition=PodScheduled", f"pod/{name}", "--timeout=20s")
    return str(kube.get("pod", name)["spec"]["nodeName"])


def test_a_pod_goes_where_its_bound_volume_is(kube: Kubectl) -> None:
    apply(kube, local("here", "n1"), claim("bound"), pod("early", "bound"))
    becomes(kube, "pvc/bound", "Bound")
    assert node_of(kube, "early") == "n1"
    apply(kube, pod("torn", "bound", nodeSelector={"kubernetes.io/hostname": "n2"}))
    why_pending(kube, "torn", "1 node(s) had volume node affinity conflict")
    apply(kube, pod("hasty", "later"))
    why_pending(kube, "hasty", 'persistentvolumeclaim "later" not found')
    apply(kube, claim("later", "5Gi"))
    why_pending(kube, "hasty", "pod has unbound immediate PersistentVolumeClaims")
    apply(kube, local("big", "n2", capacity={"storage": "5Gi"}))
    assert node_of(kube, "hasty") == "n2"


def test_a_claim_that_waits_gets_a_volume_of_its_pod_s_node(kube: Kubectl) -> None:
    """Two claims of one pod must find both of their volumes on one node; each volume is given once."""
    volumes = [local("a0", "n0"), local("a2", "n2"), local("b2", "n2"), local("c1", "n1")]
    for each in volumes:
        each["spec"]["storageClassName"] = LAZY
    apply(kube, *volumes, claim("left", storage_class=LAZY), claim("right", storage_class=LAZY))
    for each in volumes:
        becomes(kube, f"pv/{each['metadata']['name']}", "Available")
    apply(kube, pod("pair", "left", "right", nodeSelector={"kubernetes.io/hostname": "n2"}))
    assert node_of(kube, "pair") == "n2"
    found = {becomes(kube, f"pvc/{name}", "Bound")["spec"]["volumeName"] for name in ("left", "right")}
    assert found == {"a2", "b2"}
    single = {f"s{number}" for number in range(3)}
    apply(kube, *(claim(name, storage_class=LAZY) for name in single), *(pod(name, name) for name in single))
    wait_until("two of three to have a node", lambda: len(scheduled(kube, single)) == 2, 20, every=0.2)
    assert {node_of(kube, name) for name in scheduled(kube, single)} == {"n0", "n1"}
    (loser,) = single - scheduled(kube, single)
    why_pending(kube, loser, "3 node(s) didn't find available persistent volumes to bind")


def test_a_claim_for_one_pod_is_used_by_one(kube: Kubectl) -> None:
    single: dict[str, Any] = {"accessModes": ["ReadWriteOncePod"], "storageClassName": "single"}
    apply(kube, volume("one", **single), claim("one", storage_class="single", accessModes=["ReadWriteOncePod"]))
    becomes(kube, "pvc/one", "Bound")
    apply(kube, pod("first", "one"))
    assert node_of(kube, "first")
    apply(kube, pod("second", "one"))
    why_pending(kube, "second", "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod")
    kube("delete", "pod/first", "--grace-period=0", "--force")
    assert node_of(kube, "second")


def scheduled(kube: Kubectl, names: set[str]) -> set[str]:
    found = kube.get("pods", *sorted(names))["items"]
    return {each["metadata"]["name"] for each in found if each["spec"].get("nodeName")}
