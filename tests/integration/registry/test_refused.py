"""Bad input: Kubernetes' status code, reason and field path, and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.registry.conftest import JSON_PATCH, STRATEGIC, Api
from tests.unit.registry.objects import deployment, pod, service
from tests.unit.registry.support import edited

CORE, APPS = "/api/v1", "/apis/apps/v1"


def named(obj: dict[str, Any]) -> dict[str, Any]:
    """Without the namespace, which the path has."""
    return edited(obj, "metadata.namespace", None)


def config_map(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, **fields}


CREATES: list[tuple[str, str, Any, int, str, list[str]]] = [
    ("a bad name", "configmaps", edited(config_map(), "metadata.name", "Not_Good"), 422, "Invalid", ["metadata.name"]),
    ("no name", "configmaps", edited(config_map(), "metadata.name", None), 422, "Invalid", ["metadata.name"]),
    ("a bad key", "configmaps", config_map(data={"a/b": "c"}), 422, "Invalid", ["data[a/b]"]),
    ("a key twice", "configmaps", config_map(data={"a": "b"}, binaryData={"a": "Yg=="}), 422, "Invalid", ["data[a]"]),
    ("too much", "configmaps", config_map(data={"a": "x" * 1_048_577}), 422, "Invalid", ["[]"]),
    ("no base64", "configmaps", config_map(binaryData={"a": "?"}), 400, "BadRequest", []),
    ("a wrong type", "configmaps", config_map(data={"a": 1}), 400, "BadRequest", []),
    ("another kind", "configmaps", {**config_map(), "kind": "Secret"}, 400, "BadRequest", []),
    ("a bad label", "configmaps", edited(config_map(), "metadata.labels", {"a": "b c"}), 422, "Invalid", [
        "metadata.labels"]),
    ("another namespace", "configmaps", edited(config_map(), "metadata.namespace", "elsewhere"), 400, "BadRequest", []),
    ("malformed", "configmaps", b'{"kind": "ConfigMap"', 400, "BadRequest", []),
    ("no containers", "pods", named(pod(containers=[])), 422, "Invalid", ["spec.containers"]),
    ("no image", "pods", named(edited(pod(), "spec.containers.0.image", None)), 422, "Invalid", [
        "spec.containers[0].image"]),
    ("a wrong type deep down", "pods", named(edited(pod(), "spec.containers.0.image", 1)), 400, "BadRequest", []),
    ("an unknown port name", "services", named(service(ports=[{"port": 80, "targetPort": "-"}])), 422, "Invalid", [
        "spec.ports[0].targetPort", "spec.ports[0].targetPort"]),
    ("a node port out of range", "services", named(service(type="NodePort", ports=[{"port": 80, "nodePort": 80}])), 422,
     "Invalid", ["spec.ports[0].nodePort"]),
    ("an address out of range", "services", named(service(clusterIP="192.0.2.1")), 422, "Invalid", ["spec.clusterIPs"]),
    ("the address of another", "services", named(service(clusterIP="10.96.0.1")), 422, "Invalid", ["spec.clusterIPs"]),
    ("no name in a tls secret", "secrets", {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "it"},
     "type": "kubernetes.io/tls"}, 422, "Invalid", ["data[tls.crt]", "data[tls.key]"]),
    ("no selector", "deployments", named(edited(deployment(), "spec.selector", None)), 422, "Invalid", [
        "spec.selector"]),
    ("another selector", "deployments", named(edited(deployment(), "spec.selector", {"matchLabels": {"a": "x"}})), 422,
     "Invalid", ["spec.template.metadata.labels"]),
    ("a name too many", "deployments", named(edited(deployment(), "spec.template.spec.containers.0.name", None)), 422,
     "Invalid", ["spec.template.spec.containers[0].name"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("plural", "body", "code", "reason", "fields"), [case[1:] for case in CREATES], ids=[case[0] for case in CREATES]
)
def test_create(api: Api, namespace: str, plural: str, body: Any, code: int, reason: str, fields: list[str]) -> None:
    path = f"{APPS if plural == 'deployments' else CORE}{namespace}/{plural}"
    answer = api.post(path, body)
    assert (answer.code, answer.reason, answer.fields) == (code, reason, fields), answer
    assert api.names(path) == []


def test_the_whole_status_of_an_invalid_deployment(api: Api, namespace: str) -> None:
    wrong = edited(named(deployment()), "spec.template.spec.containers.0.name", None)
    answer = api.post(f"{APPS}{namespace}/deployments", wrong)
    message = 'Deployment.apps "web" is invalid: spec.template.spec.containers[0].name: Required value'
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "Invalid",
        "details": {
            "name": "web",
            "group": "apps",
            "kind": "Deployment",
            "causes": [
                {
                    "reason": "FieldValueRequired",
                    "message": "Required value",
                    "field": "spec.template.spec.containers[0].name",
                }
            ],
        },
        "code": 422,
    }


UPDATES: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("a deployment's selector", "deployments", deployment(),
     {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}}}}},
     ["spec.selector"]),
    ("an immutable config map", "configmaps", config_map(immutable=True, data={"a": "b"}), {"data": {"a": "c"}}, [
        "data"]),
    ("that it is immutable", "configmaps", config_map(immutable=True), {"immutable": False}, ["immutable"]),
    ("a secret's type", "secrets", {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "it"}}, {
        "type": "other"}, ["type"]),
    ("a service's address", "services", service(), {"spec": {"clusterIP": "10.96.200.200"}}, ["spec.clusterIPs[0]"]),
    ("a pod's restart policy", "pods", pod(), {"spec": {"restartPolicy": "Never"}}, ["spec"]),
    ("a pod's node", "pods", pod(), {"spec": {"nodeName": "elsewhere"}}, ["spec"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("plural", "before", "change", "fields"), [case[1:] for case in UPDATES], ids=[case[0] for case in UPDATES]
)
def test_update(
    api: Api, namespace: str, plural: str, before: dict[str, Any], change: dict[str, Any], fields: list[str]
) -> None:
    path = f"{APPS if plural == 'deployments' else CORE}{namespace}/{plural}"
    made = api.made(path, named(before))
    at = f"{path}/{made['metadata']['name']}"
    answer = api.patch(at, change)
    assert (answer.code, answer.reason, answer.fields) == (422, "Invalid", fields), answer
    assert api.get(at).body == made


def test_an_immutable_selector_in_kubernetes_words(api: Api, namespace: str) -> None:
    path = f"{APPS}{namespace}/deployments"
    api.made(path, named(deployment()))
    change = {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}}}}}
    answer = api.patch(f"{path}/web", change, STRATEGIC)
    assert answer.message == (
        'Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: '
        "field is immutable"
    )


def test_a_stale_resource_version(api: Api, namespace: str) -> None:
    path = f"{CORE}{namespace}/configmaps"
    made = api.made(path, config_map(data={"a": "b"}))
    newer = api.put(f"{path}/it", {**made, "data": {"a": "c"}}).body
    answer = api.put(f"{path}/it", {**made, "data": {"a": "d"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on configmaps "it": the object has been modified; please apply your changes to '
        "the latest version and try again"
    )
    assert api.get(f"{path}/it").body == newer


def test_a_node_port_of_another(api: Api, namespace: str) -> None:
    path = f"{CORE}{namespace}/services"
    wanted = service(type="NodePort", ports=[{"port": 80, "nodePort": 30099}])
    api.made(path, named(wanted))
    answer = api.post(path, named(edited(wanted, "metadata.name", "other")))
    assert answer.message == (
        'Service "other" is invalid: spec.ports[0].nodePort: Invalid value: 30099: provided port is already allocated'
    )
    assert api.names(path) == ["web"]
    api.send("DELETE", f"{path}/web")
    api.made(path, named(edited(wanted, "metadata.name", "other")))


def test_a_node_taint_without_effect(api: Api) -> None:
    api.made("/api/v1/nodes", {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "taint-me"}})
    change = [{"op": "add", "path": "/spec/taints", "value": [{"key": "a"}]}]
    answer = api.patch("/api/v1/nodes/taint-me", change, JSON_PATCH)
    assert (answer.code, answer.fields) == (422, ["metadata.taints[0].effect"])
    born_with = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    assert api.get("/api/v1/nodes/taint-me").body["spec"] == {"taints": [born_with]}
    api.send("DELETE", "/api/v1/nodes/taint-me")


@pytest.mark.parametrize("name", ["spec.nothing", "metadata.labels"])
def test_a_field_that_nothing_is_selected_by(api: Api, namespace: str, name: str) -> None:
    answer = api.get(f"{CORE}{namespace}/pods?fieldSelector={name}%3Dx")
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message.endswith(f"field label not supported: {name}")
