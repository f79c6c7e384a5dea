"""The real kubectl against the API alone: what needs no node."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.harness import manifests
from tests.harness.kubectl import Kubectl


@pytest.fixture
def k(kubectl: Kubectl, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    """kubectl in a namespace called after the test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-")
    kubectl("create", "namespace", name)
    yield replace(kubectl, namespace=name)
    kubectl("delete", "namespace", name, "--wait=false")


def applied(k: Kubectl, *objects: object) -> str:
    return k("apply", "-f", "-", stdin="\n---\n".join(map(json.dumps, objects)))


def test_version_and_discovery(kubectl: Kubectl) -> None:
    version = yaml.safe_load(kubectl("version", "-o", "yaml"))
    assert version["serverVersion"]["minor"] == "36"
    resources = kubectl("api-resources", "--no-headers")
    for line in (r"^pods\s+po\s+v1\s+true\s+Pod$", r"^deployments\s+deploy\s+apps/v1\s+true\s+Deployment$"):
        assert re.search(line, resources, re.MULTILINE), resources
    assert "apps/v1" in kubectl("api-versions").split()
    assert kubectl("get", "--raw", "/readyz") == "ok"


def test_apply_says_created_unchanged_configured(k: Kubectl) -> None:
    web = manifests.deployment("web")
    assert applied(k, web) == "deployment.apps/web created\n"
    assert applied(k, web) == "deployment.apps/web unchanged\n"
    web["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    assert applied(k, web) == "deployment.apps/web configured\n"
    del web["spec"]["template"]["spec"]["containers"][0]["env"]
    applied(k, web)
    assert "env" not in k.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]


def test_apply_takes_a_list(k: Kubectl) -> None:
    items = [manifests.deployment("web"), manifests.service("web")]
    said = k("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    assert said == "deployment.apps/web created\nservice/web created\n"


def test_diff_shows_the_change_and_changes_nothing(k: Kubectl) -> None:
    web = manifests.deployment("web")
    applied(k, web)
    assert k.run("diff", "-f", "-", stdin=json.dumps(web)).code == 0
    web["spec"]["replicas"] = 7
    answer = k.run("diff", "-f", "-", stdin=json.dumps(web))
    assert answer.code == 1, answer
    assert re.search(r"^-  replicas: 3$", answer.out, re.MULTILINE), answer
    assert re.search(r"^\+  replicas: 7$", answer.out, re.MULTILINE), answer
    assert k.get("deployment", "web")["spec"]["replicas"] == 3


def test_explain(kubectl: Kubectl) -> None:
    text = kubectl("explain", "deployment.spec.strategy.rollingUpdate.maxSurge")
    assert "GROUP:      apps" in text
    assert "FIELD: maxSurge <IntOrString>" in text
    assert "maximum number of pods" in text
    assert "-required-" in kubectl("explain", "pod.spec")


def test_create_commands_that_send_protobuf(k: Kubectl) -> None:
    k("create", "configmap", "settings", "--from-literal=color=blue", "--from-literal=size=10")
    assert k.get("configmap", "settings")["data"] == {"color": "blue", "size": "10"}
    k("create", "secret", "generic", "key", "--from-literal=password=hunter2")
    assert k.get("secret", "key")["data"] == {"password": "aHVudGVyMg=="}
    k("create", "deployment", "web", "--image=pytheas/hello:1", "--replicas=2", "--port=8080")
    spec = k.get("deployment", "web")["spec"]
    assert spec["replicas"] == 2
    assert spec["template"]["spec"]["containers"][0]["ports"] == [{"containerPort": 8080, "protocol": "TCP"}]
    assert k("create", "namespace", f"{k.namespace}-2") == f"namespace/{k.namespace}-2 created\n"
    k("delete", "namespace", f"{k.namespace}-2", "--wait=false")
    k("create", "service", "clusterip", "web", "--tcp=80:8080")
    assert k.get("service", "web")["spec"]["ports"][0]["targetPort"] == 8080
    k("create", "serviceaccount", "robot")
    token = k("create", "token", "robot").strip()
    assert token.count(".") == 2


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"pytheas/hello:2"}]}}}}'),
        ("merge", '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"pytheas/hello:2"}]}}}}'),
        ("json", '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"pytheas/hello:2"}]'),
    ],
)
def test_patch(k: Kubectl, kind: str, patch: str) -> None:
    applied(k, manifests.deployment("web"))
    k("patch", "deployment", "web", "--type", kind, "-p", patch)
    container = k.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "pytheas/hello:2"
    assert ("readinessProbe" in container) is (kind != "merge")


def test_edit_writes_what_the_editor_left(k: Kubectl, tmp_path: Path) -> None:
    applied(k, manifests.deployment("web"))
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/replicas: 3/replicas: 4/' \"$1\"\n")
    editor.chmod(0o755)
    environment = {"KUBE_EDITOR": str(editor), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        k.argv("edit", "deployment", "web"), env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "deployment.apps/web edited\n", done.stderr
    assert k.get("deployment", "web")["spec"]["replicas"] == 4


def test_label_and_annotate(k: Kubectl) -> None:
    k("create", "configmap", "one")
    k("label", "configmap", "one", "tier=front", "team=a")
    assert k.get("configmaps", "-l", "tier in (front),team!=b")["items"][0]["metadata"]["name"] == "one"
    assert k.get("configmaps", "-l", "tier=back")["items"] == []
    assert "'tier' already has a value (front), and --overwrite is false" in k.fails(
        "label", "configmap", "one", "tier=x"
    )
    k("label", "configmap", "one", "tier-")
    k("annotate", "configmap", "one", "note=seen")
    metadata = k.get("configmap", "one")["metadata"]
    assert metadata["labels"] == {"team": "a"}
    assert metadata["annotations"]["note"] == "seen"


def test_get_in_every_format(k: Kubectl) -> None:
    applied(k, manifests.deployment("web"), manifests.service("web"))
    assert k("get", "deploy,svc", "-o", "name").split() == ["deployment.apps/web", "service/web"]
    assert k("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "3"
    assert k("get", "deploy", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas").split() == [
        "N",
        "R",
        "web",
        "3",
    ]
    assert yaml.safe_load(k("get", "svc", "web", "-o", "yaml"))["spec"]["type"] == "ClusterIP"
    assert k("get", "deploy", "-o", "wide").splitlines()[0].split() == (
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    )
    assert k("get", "all").count("web") >= 2
    assert k("get", "pods", "-A", "--sort-by=.metadata.name") == ""
    assert 'pods "none" not found' in k.fails("get", "pod", "none")


def test_delete_by_name_label_and_file(k: Kubectl) -> None:
    for name in ("a", "b", "c"):
        k("create", "configmap", name)
    k("label", "configmap", "b", "c", "gone=yes")
    assert k("delete", "configmap", "a") == f'configmap "a" deleted from {k.namespace} namespace\n'
    k("delete", "configmap", "-l", "gone=yes")
    assert [item["metadata"]["name"] for item in k.get("configmaps")["items"]] in ([], ["kube-root-ca.crt"])
    web = manifests.deployment("web")
    applied(k, web)
    k("delete", "-f", "-", stdin=json.dumps(web))
    assert 'deployments.apps "web" not found' in k.fails("get", "deployment", "web")


def test_scale_and_its_precondition(k: Kubectl) -> None:
    applied(k, manifests.deployment("web"))
    k("scale", "deployment", "web", "--replicas=5", "--current-replicas=3")
    assert k.get("deployment", "web")["spec"]["replicas"] == 5
    assert "Expected replicas to be 3, was 5" in k.fails(
        "scale", "deployment/web", "--replicas=1", "--current-replicas=3"
    )


def test_wait_for_a_condition_set_by_patch(k: Kubectl) -> None:
    applied(k, manifests.deployment("web"))
    waiting = subprocess.Popen(
        k.argv("wait", "--for=condition=Available", "deployment/web", "--timeout=30s"),
        stdout=subprocess.PIPE,
        text=True,
    )
    condition = {"type": "Available", "status": "True", "reason": "Test", "message": "set by the test"}
    patch = json.dumps({"status": {"conditions": [condition]}})
    k("patch", "deployment", "web", "--subresource=status", "--type=merge", "-p", patch)
    out, _ = waiting.communicate(timeout=40)
    assert out == "deployment.apps/web condition met\n"


def test_unknown_fields_are_refused_by_apply_and_warned_of_when_asked(k: Kubectl) -> None:
    web = manifests.deployment("web", bogus=1)
    refused = k.fails("apply", "-f", "-", stdin=json.dumps(web))
    assert 'unknown field "spec.bogus"' in refused
    answer = k.run("apply", "--validate=warn", "-f", "-", stdin=json.dumps(web))
    assert answer.code == 0, answer
    assert 'unknown field "spec.bogus"' in answer.err
    assert "bogus" not in k.get("deployment", "web")["spec"]
