"""The plainer kinds: what is refused, what may change, what their columns show."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from api.errors import BadRequest
from apiserver.registry.columns import table_columns
from apiserver.registry.kind import Object
from apiserver.registry.podspec.defaults import pull_policy
from apiserver.registry.resources import qos_class
from tests.unit.registry.objects import deployment, node, plain, replicaset, service
from tests.unit.registry.support import BY_TYPE, NOW, create, edited, kind_of, update, update_status


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)

BAD: list[tuple[Object, list[str]]] = [
    (plain("ConfigMap", data={"a b": "c"}), [f'data[a b]: Invalid value: "a b": {KEY}']),
    (plain("ConfigMap", data={"a": "b"}, binaryData={"a": b64("b")}), [
        'data[a]: Invalid value: "a": duplicate of key present in binaryData']),
    (plain("ConfigMap", binaryData={"a": b64("x" * 1_048_577)}), ["[]: Too long: may not be more than 1048576 bytes"]),
    (plain("Secret", data={"a b": ""}), [f'data[a b]: Invalid value: "a b": {KEY}']),
    (plain("Secret", stringData={"a": "x" * 1_048_577}), ["data: Too long: may not be more than 1048576 bytes"]),
    (plain("Secret", type="kubernetes.io/tls"), ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
    (plain("Secret", type="kubernetes.io/basic-auth"), [
        "data[username]: Required value", "data[password]: Required value"]),
    (plain("Secret", type="kubernetes.io/ssh-auth"), ["data[ssh-privatekey]: Required value"]),
    (plain("Secret", type="kubernetes.io/dockerconfigjson"), ["data[.dockerconfigjson]: Required value"]),
    (plain("Secret", type="kubernetes.io/service-account-token"), [
        "metadata.annotations[kubernetes.io/service-account.name]: Required value"]),
    (edited(plain("Namespace"), "metadata", {"name": "a.b"}), [
        'metadata.name: Invalid value: "a.b": must not contain dots']),
    (edited(plain("Namespace", spec={"finalizers": ["mine"]}), "metadata.namespace", None), [
        'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified']),
    (plain("Node"), ["metadata.namespace: Forbidden: not allowed on this type"]),
    (node(taints=[{"key": "a", "effect": "Never"}]), [
        'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", '
        '"NoExecute"']),
    (node(taints=[{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule"}]), [
        'metadata.taints[1]: Duplicate value: {"effect":"NoSchedule","key":"a"}: taints must be unique by key and '
        "effect pair"]),
    (node(podCIDR="10.1.2.3"), [
        'spec.podCIDRs[0]: Invalid value: "10.1.2.3": must be a valid CIDR value, (e.g. 10.9.8.0/24 or '
        "2001:db8::/64)"]),
    (plain("Lease", spec={"leaseDurationSeconds": 0, "leaseTransitions": -1}), [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"]),
    (plain("Event", involvedObject={"namespace": "other"}), [
        'involvedObject.namespace: Invalid value: "other": does not match event.namespace']),
    (plain("Event", involvedObject={"namespace": "default"}, eventTime="2026-11-22T12:00:00.000000Z"), [
        "reportingComponent: Required value", "reportingInstance: Required value", "action: Required value",
        "reason: Required value"]),
    (plain("Endpoints", subsets=[{"ports": [{"port": 80}]}]), [
        "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]),
    (plain("Endpoints", subsets=[{"addresses": [{"ip": "169.254.0.1"}]}]), [
        'subsets[0].addresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, '
        "fe80::/10)"]),
    (plain("EndpointSlice", endpoints=[]), ["addressType: Required value"]),
    (plain("EndpointSlice", addressType="IPv6", endpoints=[{"addresses": ["10.0.0.1"]}]), [
        'endpoints[0].addresses[0]: Invalid value: "10.0.0.1": must be a valid IPv6 address']),
    (plain("EndpointSlice", addressType="IPv4", endpoints=[{}]), [
        "endpoints[0].addresses: Required value: must contain at least 1 address"]),
    (plain("ControllerRevision", revision=-1), [
        "data: Required value: data is mandatory",
        "revision: Invalid value: -1: must be greater than or equal to 0"]),
    (edited(deployment(), "spec.selector", None), ["spec.selector: Required value"]),
    (edited(replicaset(), "spec.selector", {}), [
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
    (edited(deployment(), "spec.selector.matchLabels.app", "other"), [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']),
    (edited(deployment(), "spec.selector", {"matchExpressions": [{"key": "app", "operator": "Is"}]}), [
        'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
        'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Is"}]}: invalid label selector']),
    (edited(deployment(), "spec.template.spec.containers.0.name", None), [
        "spec.template.spec.containers[0].name: Required value"]),
    (edited(deployment(), "spec.template.spec.restartPolicy", "Never"), [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
    (edited(deployment(), "spec.template.spec.activeDeadlineSeconds", 5), [
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"]),
    (deployment(replicas=-1), ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
    (deployment(minReadySeconds=600), [
        "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"]),
    (deployment(strategy={"type": "Canary"}), [
        'spec.strategy.type: Unsupported value: "Canary": supported values: "Recreate", "RollingUpdate"']),
    (deployment(strategy={"type": "Recreate", "rollingUpdate": {}}), [
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]),
    (deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}), [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0']),
    (deployment(strategy={"rollingUpdate": {"maxUnavailable": "101%"}}), [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%']),
    (deployment(strategy={"rollingUpdate": {"maxSurge": "some"}}), [
        "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"some\": a valid percent string must be a numeric "
        "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"]),
]  # fmt: skip


@pytest.mark.parametrize(("obj", "messages"), BAD, ids=[f"{obj['kind']}-{n}" for n, (obj, _) in enumerate(BAD)])
def test_refused(obj: Object, messages: list[str]) -> None:
    _, errors = create(obj)
    assert errors == messages


SEALED = "Forbidden: field is immutable when `immutable` is set"
CHANGES: list[tuple[Object, str, Any, list[str]]] = [
    (plain("ConfigMap", immutable=True, data={"a": "b"}), "data.a", "c", [f"data: {SEALED}"]),
    (plain("ConfigMap", immutable=True), "immutable", None, [f"immutable: {SEALED}"]),
    (plain("ConfigMap", data={"a": "b"}), "data.a", "c", []),
    (plain("Secret", immutable=True), "data", {"a": ""}, [f"data: {SEALED}"]),
    (plain("Secret"), "type", "other", ['type: Invalid value: "other": field is immutable']),
    (deployment(), "spec.selector.matchLabels.tier", "a", [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable']),
    (replicaset(), "spec.template.spec.containers.0.image", "nginx:2", []),
    (node(podCIDR="10.244.0.0/24"), "spec.podCIDRs", ["10.244.1.0/24"], [
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid']),
    (node(), "spec.podCIDR", "10.244.0.0/24", []),
    (node(providerID="a"), "spec.providerID", "b", [
        'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid']),
    (node(), "spec.unschedulable", True, []),
    (plain("EndpointSlice", addressType="IPv4"), "addressType", "IPv6", [
        'addressType: Invalid value: "IPv6": field is immutable']),
    (plain("ControllerRevision", data={"a": 1}, revision=1), "data", {"a": 2}, [
        'data: Invalid value: {"a":2}: field is immutable']),
]  # fmt: skip


@pytest.mark.parametrize(
    ("obj", "path", "value", "messages"), CHANGES, ids=[f"{case[0]['kind']}-{case[1]}" for case in CHANGES]
)
def test_changes(obj: Object, path: str, value: Any, messages: list[str]) -> None:
    old, errors = create(obj)
    assert errors == []
    _, errors = update(edited(old, path, value), old)
    assert errors == messages


STATUSES: list[tuple[Object, Object, list[str]]] = [
    (deployment(), {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2}, [
        "status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas"]),
    (deployment(), {"replicas": 1, "updatedReplicas": 2}, [
        "status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas"]),
    (deployment(), {"replicas": 1, "unavailableReplicas": 3}, []),
    (replicaset(), {"observedGeneration": -1}, [
        "status.observedGeneration: Invalid value: -1: must be greater than or equal to 0"]),
    (edited(plain("Namespace"), "metadata.namespace", None), {"phase": "Terminating"}, [
        "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"]),
    (node(), {"capacity": {"cpu": "-1"}}, [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
        'status.allocatable.cpu: Invalid value: "-1": must be greater than or equal to 0']),
    (node(), {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}] * 2}, [
        'status.addresses[1]: Duplicate value: {"address":"10.0.0.1","type":"InternalIP"}']),
    (service(type="ClusterIP"), {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, [
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"]),
]  # fmt: skip


@pytest.mark.parametrize(("obj", "status", "messages"), STATUSES, ids=[str(n) for n in range(len(STATUSES))])
def test_statuses(obj: Object, status: Object, messages: list[str]) -> None:
    old, errors = create(obj)
    assert errors == []
    _, errors = update_status(status, old)
    assert errors == messages


@pytest.mark.parametrize("value", ["?", "YQ", "YQ==YQ==", "a b", "ä"])
def test_what_is_no_base64_is_a_bad_request(value: str) -> None:
    with pytest.raises(
        BadRequest, match='Secret in version "v1" cannot be handled as a Secret: illegal base64 data at'
    ):
        create(plain("Secret", data={"a": value}))


POLICIES = [
    ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"), ("r:5000/nginx", "Always"),
    ("r:5000/nginx:1", "IfNotPresent"), ("nginx@sha256:ab", "IfNotPresent"), ("nginx:latest@sha256:ab", "Always"),
    ("", "IfNotPresent"),
]  # fmt: skip


@pytest.mark.parametrize(("image", "policy"), POLICIES)
def test_when_an_image_is_pulled(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


ALL = {"cpu": "1", "memory": "1Gi"}
CLASSES: list[tuple[list[Object], str]] = [
    ([{}], "BestEffort"),
    ([{"limits": ALL, "requests": ALL}], "Guaranteed"),
    ([{"limits": ALL, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
    ([{"limits": ALL, "requests": ALL}, {}], "Burstable"),
    ([{"requests": {"cpu": "1"}}], "Burstable"),
    ([{"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}], "Burstable"),
    ([{"requests": {"cpu": "0"}}], "BestEffort"),
    ([{"requests": {"example.com/gpu": "1"}, "limits": {"example.com/gpu": "1"}}], "BestEffort"),
]


@pytest.mark.parametrize(("each", "name"), CLASSES)
def test_quality_of_service(each: list[Object], name: str) -> None:
    assert qos_class({"containers": [{"resources": resources} for resources in each]}) == name


def with_status(obj: Object, status: Object) -> Object:
    made, errors = create(obj)
    assert errors == []
    made["metadata"]["creationTimestamp"] = "2026-11-22T11:00:00Z"
    return {**made, "status": status}


ROWS: list[tuple[Callable[[], Object], list[Any]]] = [
    (lambda: with_status(deployment(replicas=3), {"readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 1}),
     ["web", "2/3", 1, 1, "60m", "web", "nginx:1", "app=web"]),
    (lambda: with_status(replicaset(), {"replicas": 1}), ["web", 1, 1, 0, "60m", "web", "nginx:1", "app=web"]),
    (lambda: with_status(service(type="LoadBalancer", clusterIP="10.96.1.1", allocateLoadBalancerNodePorts=False),
                         {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}),
     ["web", "LoadBalancer", "10.96.1.1", "192.0.2.1", "80/TCP", "60m", "<none>"]),
    (lambda: with_status(node(unschedulable=True), {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        "nodeInfo": {"kubeletVersion": "v1.36.0", "osImage": "Debian", "kernelVersion": "6.1",
                     "containerRuntimeVersion": "docker://20.10"}}),
     ["node-1", "Ready,SchedulingDisabled", "<none>", "60m", "v1.36.0", "10.0.0.1", "<none>", "Debian", "6.1",
      "docker://20.10"]),
    (lambda: with_status(plain("Endpoints", subsets=[{
        "addresses": [{"ip": f"10.0.0.{n}"} for n in range(1, 6)], "ports": [{"port": 80}]}]), {}),
     ["it", "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...", "60m"]),
    (lambda: with_status(plain("EndpointSlice", addressType="IPv4", endpoints=[{"addresses": ["10.0.0.1"]}],
                               ports=[{"port": 80}]), {}), ["it", "IPv4", "80", "10.0.0.1", "60m"]),
    (lambda: with_status(plain("EndpointSlice", addressType="IPv4"), {}), ["it", "IPv4", "<unset>", "<unset>", "60m"]),
    (lambda: with_status(plain("Event", involvedObject={"kind": "Pod", "name": "web", "namespace": "default"},
                               reason="Started", message="Started it\n", type="Normal", count=2,
                               firstTimestamp="2026-11-22T11:00:00Z", lastTimestamp="2026-11-22T11:59:00Z",
                               source={"component": "kubelet", "host": "n1"}), {}),
     ["60s", "Normal", "Started", "pod/web", "", "kubelet, n1", "Started it", "60m", 2, "it"]),
    (lambda: with_status(plain("Lease", spec={"holderIdentity": "n1"}), {}), ["it", "n1", "60m"]),
    (lambda: with_status(plain("ConfigMap", data={"a": "b"}, binaryData={"c": ""}), {}), ["it", 2, "60m"]),
]  # fmt: skip


@pytest.mark.parametrize(("make", "cells"), ROWS, ids=[str(n) for n in range(len(ROWS))])
def test_rows(make: Callable[[], Object], cells: list[Any]) -> None:
    obj = make()
    assert [column.cell(obj, NOW) for column in table_columns(kind_of(obj))] == cells


@pytest.mark.parametrize("kind", BY_TYPE.values(), ids=[".".join(key) for key in BY_TYPE])
def test_fields_are_known_beforehand(kind: Any) -> None:
    assert tuple(kind.strategy.fields({"metadata": {}})) == kind.strategy.field_names
