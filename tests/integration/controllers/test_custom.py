"""Garbage collection and namespaces know custom kinds as they know built-in ones."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.control import ControlPlane
from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until

GROUP = "stable.example.com"


def definition(plural: str, scope: str = "Namespaced") -> dict[str, Any]:
    kind = plural.removesuffix("s").capitalize()
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": GROUP, "scope": scope, "names": {"plural": plural, "kind": kind}, "versions": [version]}
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**head, "metadata": {"name": f"{plural}.{GROUP}"}, "spec": spec}


def custom(kind: str, name: str, **metadata: Any) -> str:
    obj = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": {}}
    return json.dumps(obj)


def reference(obj: dict[str, Any], **more: Any) -> dict[str, Any]:
    meta = obj["metadata"]
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": meta["name"], "uid": meta["uid"], **more}


@pytest.fixture(scope="module")
def crontabs(kube: Kubectl) -> Iterator[None]:
    kube("apply", "-f", "-", stdin=json.dumps(definition("crontabs")))
    kube("wait", "--for=condition=Established", f"crd/crontabs.{GROUP}", "--timeout=10s")
    yield
    kube("delete", "crd", f"crontabs.{GROUP}", "--timeout=20s", seconds=30)


def gone(kube: Kubectl, *what: str) -> bool:
    return "not found" in kube.run("get", *what).err


def test_a_built_in_owner_takes_its_custom_object_along(namespace: Kubectl, crontabs: None) -> None:
    namespace("create", "configmap", "owner")
    owner = reference(namespace.get("configmap", "owner"))
    namespace("apply", "-f", "-", stdin=custom("Crontab", "owned", ownerReferences=[owner]))
    namespace("delete", "configmap", "owner")
    wait_until("collection", lambda: gone(namespace, "crontab", "owned"))


def test_a_custom_owner_takes_what_it_owns_along(namespace: Kubectl, crontabs: None) -> None:
    """In the foreground: it goes last."""
    namespace("apply", "-f", "-", stdin=custom("Crontab", "owner"))
    owner = reference(namespace.get("crontab", "owner"), blockOwnerDeletion=True)
    child = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "child", "ownerReferences": [owner]}}
    namespace("apply", "-f", "-", stdin=json.dumps(child))
    namespace("delete", "crontab", "owner", "--cascade=foreground", "--timeout=20s", seconds=30)
    assert gone(namespace, "secret", "child")


def test_a_namespace_goes_with_its_custom_objects_and_says_what_holds_it(kube: Kubectl, crontabs: None) -> None:
    kube("create", "namespace", "custom-content")
    there = Kubectl(kube.kubeconfig, "custom-content")
    there("apply", "-f", "-", stdin=custom("Crontab", "free"))
    there("apply", "-f", "-", stdin=custom("Crontab", "held", finalizers=["example.com/hold"]))
    kube("delete", "namespace", "custom-content", "--wait=false")

    def conditions() -> dict[str, str]:
        found = kube.get("namespace", "custom-content")["status"].get("conditions", [])
        return {each["type"]: each["message"] for each in found if each["status"] == "True"}

    held = {
        "NamespaceContentRemaining": f"Some resources are remaining: crontabs.{GROUP} has 1 resource instances",
        "NamespaceFinalizersRemaining": (
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
        ),
    }
    wait_until("the conditions", lambda: conditions() == held)
    there("patch", "crontab", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    wait_until("the namespace to go", lambda: gone(kube, "namespace", "custom-content"))


def test_kinds_that_come_and_go_are_followed_and_nothing_is_the_worse(plane: ControlPlane, namespace: Kubectl) -> None:
    namespace("create", "configmap", "owner")
    owner = reference(namespace.get("configmap", "owner"))
    for _ in range(2):
        namespace("apply", "-f", "-", stdin=json.dumps(definition("widgets")))
        namespace("wait", "--for=condition=Established", f"crd/widgets.{GROUP}", "--timeout=10s")
        namespace("apply", "-f", "-", stdin=custom("Widget", "one", ownerReferences=[owner]))
        namespace("delete", "crd", f"widgets.{GROUP}", "--timeout=20s", seconds=30)
    argv = plane.daemons["controllers"].argv
    where = argv[argv.index("--health-bind") + 1]
    with urllib.request.urlopen(f"http://{where}/healthz", timeout=5) as answer:
        assert answer.status == 200
