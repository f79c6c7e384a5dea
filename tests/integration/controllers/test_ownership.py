"""What owners do to what they own: adopting, orphaning, collecting."""

from __future__ import annotations

import json
from typing import Any

from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until
from tests.integration.controllers.simulation import Simulation
from tests.integration.controllers.test_rollout import manifest, rolled_out


def names(kube: Kubectl, kind: str) -> list[str]:
    return sorted(item["metadata"]["name"] for item in kube.get(kind)["items"])


def owners(item: dict[str, Any]) -> list[str]:
    return [ref["kind"] for ref in item["metadata"].get("ownerReferences", [])]


def test_deletion_takes_everything_along(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest())
    rolled_out(namespace)
    namespace("delete", "deployment", "web")
    wait_until("all to be gone", lambda: not names(namespace, "replicasets,pods"))


def test_foreground_deletion_waits_for_the_pods(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest())
    rolled_out(namespace)
    namespace("delete", "deployment", "web", "--cascade=foreground", "--timeout=30s", seconds=40)
    assert names(namespace, "deployments,replicasets,pods") == []


def test_orphans_stay_and_are_adopted_again(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest())
    rolled_out(namespace)
    pods, (replica_set,) = names(namespace, "pods"), names(namespace, "replicasets")
    namespace("delete", "deployment", "web", "--cascade=orphan")
    assert owners(namespace.get("replicaset", replica_set)) == []
    namespace("delete", "replicaset", replica_set, "--cascade=orphan")
    assert names(namespace, "pods") == pods
    assert all(not owners(item) for item in namespace.get("pods")["items"])
    # A ReplicaSet of the same selector takes them over as they are.
    selector = {"matchLabels": {"app": "web"}}
    made = json.loads(manifest())
    made |= {"kind": "ReplicaSet", "metadata": {"name": "heir"}}
    made["spec"] = {"replicas": 3, "selector": selector, "template": made["spec"]["template"]}
    namespace("apply", "-f", "-", stdin=json.dumps(made))
    wait_until("adoption", lambda: all(owners(item) == ["ReplicaSet"] for item in namespace.get("pods")["items"]))
    assert names(namespace, "pods") == pods


def test_a_relabelled_pod_is_released_and_replaced(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest())
    rolled_out(namespace)
    pod = names(namespace, "pods")[0]
    namespace("label", "pod", pod, "app=debug", "--overwrite")
    wait_until("release", lambda: owners(namespace.get("pod", pod)) == [])
    rolled_out(namespace)
    assert len(names(namespace, "pods")) == 4
    namespace("label", "pod", pod, "app=web", "--overwrite")
    wait_until("one too many to go", lambda: len(names(namespace, "pods")) == 3)


def test_a_deleted_pod_is_replaced(namespace: Kubectl, simulation: Simulation) -> None:
    namespace("apply", "-f", "-", stdin=manifest())
    rolled_out(namespace)
    pod = names(namespace, "pods")[0]
    namespace("delete", "pod", pod)
    rolled_out(namespace)
    assert pod not in names(namespace, "pods")
    assert len(names(namespace, "pods")) == 3


def test_an_absent_owner_is_no_owner(namespace: Kubectl) -> None:
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "never",
        "uid": "00000000-0000-0000-0000-000000000001",
    }
    child = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "child", "ownerReferences": [reference]},
    }
    namespace("apply", "-f", "-", stdin=json.dumps(child))
    wait_until("collection", lambda: namespace.run("get", "configmap", "child").code != 0)


def test_one_of_two_owners_is_enough(namespace: Kubectl) -> None:
    for name in ("one", "two"):
        namespace("create", "configmap", name)
    uids = {name: namespace.get("configmap", name)["metadata"]["uid"] for name in ("one", "two")}
    references = [{"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid} for name, uid in uids.items()]
    child = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "child", "ownerReferences": references}}
    namespace("apply", "-f", "-", stdin=json.dumps(child))
    namespace("delete", "configmap", "one")
    wait_until(
        "the gone owner's reference to go",
        lambda: [ref["name"] for ref in namespace.get("secret", "child")["metadata"]["ownerReferences"]] == ["two"],
    )
    namespace("delete", "configmap", "two")
    wait_until("collection", lambda: namespace.run("get", "secret", "child").code != 0)


def test_an_emptied_namespace_goes(kube: Kubectl, simulation: Simulation) -> None:
    kube("create", "namespace", "going")
    there = Kubectl(kube.kubeconfig, "going")
    there("apply", "-f", "-", stdin=manifest())
    there("create", "configmap", "settings", "--from-literal=a=b")
    there("expose", "deployment", "web", "--port=80")
    rolled_out(there)
    kube("delete", "namespace", "going", "--timeout=30s", seconds=40)
    assert "going" not in names(kube, "namespaces")


def test_a_finalizer_holds_its_namespace(kube: Kubectl) -> None:
    kube("create", "namespace", "held")
    there = Kubectl(kube.kubeconfig, "held")
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
    there("apply", "-f", "-", stdin=json.dumps(held))
    kube("delete", "namespace", "held", "--wait=false")

    def told() -> bool:
        conditions = kube.get("namespace", "held")["status"].get("conditions", [])
        return any("example.com/hold in 1 resource instances" in each["message"] for each in conditions)

    wait_until("the namespace to say what holds it", told)
    there("patch", "configmap", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    wait_until("the namespace to go", lambda: "held" not in names(kube, "namespaces"))


def test_every_namespace_has_its_default_account(kube: Kubectl) -> None:
    kube("create", "namespace", "peopled")
    there = Kubectl(kube.kubeconfig, "peopled")
    wait_until("the account", lambda: there.run("get", "serviceaccount", "default").code == 0, seconds=2)
    there("delete", "serviceaccount", "default")
    wait_until("the account again", lambda: there.run("get", "serviceaccount", "default").code == 0, seconds=2)
    kube("delete", "namespace", "peopled", "--wait=false")
