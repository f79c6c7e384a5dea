"""The real kubectl with custom kinds: from the definition to its end, and with a schema as large as a pod's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from api.schema.node import definition
from tests.harness.control import ControlPlane
from tests.harness.kubectl import Kubectl
from tests.integration.apiserver.custom import INTEGER, STRING, obj

CRONTABS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "crontabs.stable.example.com"},
    "spec": {
        "group": "stable.example.com",
        "scope": "Namespaced",
        "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"], "categories": ["all"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": obj(
                        spec=obj(
                            cronSpec={
                                "type": "string",
                                "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$",
                                "description": "When the job runs.",
                            },
                            image=STRING,
                            replicas={"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
                        ),
                        status=obj(replicas=INTEGER, labelSelector=STRING),
                    )
                },
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas",
                        "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.labelSelector",
                    },
                },
                "additionalPrinterColumns": [
                    {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"},
                    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
            }
        ],
    },
}


@pytest.fixture
def k(plane: ControlPlane) -> Kubectl:
    return Kubectl(plane.admin_conf)


def crontab(name: str, **spec: Any) -> str:
    head = {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": name}}
    return json.dumps({**head, "spec": {"cronSpec": "* * * * */5", "image": "an-image", **spec}})


def test_from_the_definition_to_its_end(k: Kubectl) -> None:
    k("create", "-f", "-", stdin=json.dumps(CRONTABS))
    k("wait", "--for=condition=Established", "crd/crontabs.stable.example.com", "--timeout=5s")
    assert re.match(r"NAME +CREATED AT\ncrontabs\.stable\.example\.com +20\d\d-", k("get", "crd"))

    applied = "crontab.stable.example.com/one"
    assert k("apply", "-f", "-", stdin=crontab("one")) == f"{applied} created\n"
    assert k("apply", "-f", "-", stdin=crontab("one")) == f"{applied} unchanged\n"
    assert k("apply", "-f", "-", stdin=crontab("one", image="another")) == f"{applied} configured\n"
    wrong = k.fails("apply", "-f", "-", stdin=crontab("two", cronSpec="hourly", image=7, replicas=15))
    assert [line.partition(":")[0] for line in wrong.splitlines()[1:]] == [
        "* spec.cronSpec",
        "* spec.image",
        "* spec.replicas",
    ]
    assert 'unknown field "spec.imge"' in k.fails("apply", "-f", "-", stdin=crontab("two", imge="typo"))

    columns = [line.split()[:8] for line in k("get", "ct").splitlines()]
    assert columns[0] == ["NAME", "SPEC", "REPLICAS", "AGE"]
    assert columns[1][:7] == ["one", "*", "*", "*", "*", "*/5", "1"]
    assert k("scale", "--replicas=5", "crontabs/one") == f"{applied} scaled\n"
    k("patch", "ct", "one", "--type=merge", "--subresource=status", "-p", '{"status":{"replicas":5}}')
    found = k.get("crontab", "one")
    assert (found["spec"]["replicas"], found["status"], found["metadata"]["generation"]) == (5, {"replicas": 5}, 3)

    explained = k("explain", "crontab.spec")
    assert "cronSpec\t<string>\n    When the job runs." in explained
    assert "replicas\t<integer>" in k("explain", "ct", "--recursive")
    assert k("apply", "--server-side", "-f", "-", stdin=crontab("three")) == (
        "crontab.stable.example.com/three serverside-applied\n"
    )
    assert "crontab.stable.example.com/three" in k("get", "all", "-o", "name")
    conflict = k.fails("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=crontab("three", image="x"))
    assert 'conflict with "kubectl": .spec.image' in conflict
    assert k("get", "ct", "--selector=a=b") == ""

    assert "deleted" in k("delete", "crd", "crontabs.stable.example.com", "--timeout=10s")
    assert "could not find the requested resource" in k.fails("get", "ct")


def expanded(raw: Any) -> Any:
    """A built-in type as generators of definitions write it: without references."""
    if isinstance(raw, list):
        return [expanded(each) for each in raw]
    if not isinstance(raw, dict):
        return raw
    name = raw.get("$ref", "")
    if name.endswith((".Quantity", ".IntOrString")):
        return {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    if name.endswith(".FieldsV1"):
        return {"type": "object"}
    if name:
        raw = {**definition(name), **{key: value for key, value in raw.items() if key != "$ref"}}
    written = {key: expanded(value) for key, value in raw.items() if not key.startswith("x-kubernetes-patch")}
    keys = written.get("x-kubernetes-list-map-keys") or ()
    for key in keys:
        if key not in (written["items"].get("required") or ()):
            written["items"]["properties"][key]["default"] = "TCP" if key == "protocol" else ""
    written.pop("x-kubernetes-group-version-kind", None)
    return written


def test_a_schema_as_large_as_a_pods(k: Kubectl) -> None:
    template = expanded({"$ref": "io.k8s.api.core.v1.PodTemplateSpec"})
    template["properties"]["metadata"] = {"type": "object"}
    crd = json.loads(
        json.dumps(CRONTABS).replace("crontab", "podset").replace("CronTab", "PodSet").replace('"ct"', '"ps"')
    )
    version = crd["spec"]["versions"][0]
    version["schema"]["openAPIV3Schema"] = obj(spec=obj(template=template))
    del version["subresources"], version["additionalPrinterColumns"]
    k("create", "-f", "-", stdin=json.dumps(crd))
    k("wait", "--for=condition=Established", "crd/podsets.stable.example.com", "--timeout=5s")
    container: dict[str, Any] = {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}
    container["resources"] = {"requests": {"cpu": "100m", "memory": 64}}
    podset = {"apiVersion": "stable.example.com/v1", "kind": "PodSet", "metadata": {"name": "a"}}
    podset["spec"] = {"template": {"spec": {"containers": [container]}}}
    k("apply", "-f", "-", stdin=json.dumps(podset))
    found = k.get("podset", "a")["spec"]["template"]["spec"]["containers"][0]
    assert found["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    container["ports"] *= 2
    del container["name"]
    wrong = k.fails("apply", "-f", "-", stdin=json.dumps(podset))
    at = "spec.template.spec.containers[0]"
    assert f'{at}.ports[1]: Duplicate value: {{"containerPort":80,"protocol":"TCP"}}' in wrong
    assert f"{at}.name: Required value" in wrong
    assert "periodSeconds\t<integer>" in k("explain", "podset.spec.template.spec.containers.livenessProbe")
    k("delete", "crd", "podsets.stable.example.com", "--timeout=10s")
