"""Pods from a folder of manifests, and the mirrors by which the API server knows of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.kubelet.conftest import MANIFESTS, SLEEP, Lab, manifest
from tests.harness.process import wait_until

Write = Callable[..., str]


@pytest.fixture
def write(lab: Lab) -> Iterator[Write]:
    """Puts a manifest into the node's folder, or takes it away; returns the mirror's name."""
    files: set[str] = set()

    def put(file: str, content: dict[str, Any] | str) -> str:
        files.add(file)
        text = content if isinstance(content, str) else json.dumps(content)
        lab.node.host.run("tee", f"{MANIFESTS}/{file}", stdin=text)
        return f"{file.partition('.')[0]}-{lab.node.name}"

    yield put
    for file in files:
        lab.node.host.run("rm", "-f", f"{MANIFESTS}/{file}")
    gone = [f"{file.partition('.')[0]}-{lab.node.name}" for file in files]
    wait_until("the static pods to go", lambda: not any(lab.containers(name, every=True) for name in gone), 20)


def uid_of(lab: Lab, name: str) -> str:
    found = lab.kubectl.run("get", "pod", name, "-o", "jsonpath={.metadata.uid}")
    return found.out if found.code == 0 else ""


def test_a_manifest_is_a_pod_as_long_as_it_is_there(lab: Lab, write: Write) -> None:
    name = write("web.json", manifest("web", f"echo first; {SLEEP}"))
    wait_until("its mirror", lambda: uid_of(lab, name), 15)
    lab.ready(name)
    shown = lab.kubectl.get("pod", name)
    marks = shown["metadata"]["annotations"]
    assert marks["kubernetes.io/config.source"] == "file"
    assert marks["kubernetes.io/config.mirror"] == marks["kubernetes.io/config.hash"]
    assert shown["metadata"]["ownerReferences"][0]["kind"] == "Node"
    assert {"operator": "Exists", "effect": "NoExecute"} in shown["spec"]["tolerations"]
    assert lab.logs(name, "first") == ["first"]
    assert lab.kubectl("exec", name, "--", "echo", "hello") == "hello\n"
    before = lab.containers(name)

    uid = shown["metadata"]["uid"]
    lab.kubectl("delete", "pod", name, "--wait=false")
    wait_until("another mirror", lambda: uid_of(lab, name) not in ("", uid), 15)
    lab.ready(name)
    assert lab.containers(name) == before, "the pod itself has nothing to do with it"

    write("web.json", manifest("web", f"echo second; {SLEEP}"))
    wait_until("another pod", lambda: lab.containers(name) and not set(lab.containers(name)) & set(before), 15)
    wait_until("its own mirror", lambda: uid_of(lab, name) not in ("", uid), 15)
    lab.ready(name)
    assert lab.logs(name, "second") == ["second"]
    assert lab.container(name)["restartCount"] == 0

    lab.node.host.run("rm", f"{MANIFESTS}/web.json")
    wait_until("the mirror's end", lambda: not uid_of(lab, name), 15)
    assert not lab.containers(name, every=True)


def test_a_bad_manifest_harms_no_other(lab: Lab, write: Write) -> None:
    write("bad.yaml", "kind: Pod\napiVersion: v1\nspec: [")
    write("needy.yaml", json.dumps(manifest("needy", SLEEP, serviceAccountName="builder")))
    good = write("good.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: good\nspec:\n" + GOOD)
    wait_until("the good one's mirror", lambda: uid_of(lab, good), 15)
    lab.ready(good)

    def told() -> str:
        found = lab.kubectl.get("events", "--field-selector", f"involvedObject.name={lab.node.name}")
        return "\n".join(each["message"] for each in found["items"] if each["reason"] == "FailedStaticPod")

    wait_until("what is wrong", lambda: "bad.yaml: couldn't parse as pod" in told(), 15)
    assert "static pods may not reference serviceaccounts" in told()


GOOD = """\
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: "busybox:1", command: [sleep, "600"]}
"""
