"""Pods (and so templates) that are refused, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.registry.objects import pod
from tests.unit.registry.support import create, edited

C = "spec.containers.0"
A = "spec.containers[0]"
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)

BAD: list[tuple[str, Any, list[str]]] = [
    ("metadata.name", "Web_1", [
        'metadata.name: Invalid value: "Web_1": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric '
        "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
        "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"]),
    ("metadata.name", None, ["metadata.name: Required value: name or generateName is required"]),
    ("metadata.labels", {"a b": "c"}, [
        'metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, \'-\', \'_\' or '
        "'.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
        "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"]),
    ("metadata.labels", {"a": "b c"}, [
        'metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric '
        "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"]),
    ("metadata.annotations", {"a": "x" * 262144}, [
        "metadata.annotations: Too long: may not be more than 262144 bytes"]),
    ("metadata.finalizers", ["mine"], [
        'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully '
        "qualified"]),
    ("metadata.ownerReferences", [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": ""}], [
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty']),
    ("spec.containers", [], ["spec.containers: Required value"]),
    (f"{C}.name", None, [f"{A}.name: Required value"]),
    (f"{C}.name", "Web", [f'{A}.name: Invalid value: "Web": {LABEL}']),
    (f"{C}.image", "", [f"{A}.image: Required value"]),
    (f"{C}.image", " nginx", [
        f'{A}.image: Invalid value: " nginx": must not have leading or trailing whitespace']),
    (f"{C}.imagePullPolicy", "Sometimes", [
        f'{A}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"']),
    (f"{C}.ports", [{"containerPort": 70000}], [
        f"{A}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]),
    (f"{C}.ports", [{"name": "UPPER", "containerPort": 80}], [
        f'{A}.ports[0].name: Invalid value: "UPPER": must contain only alpha-numeric characters (a-z, 0-9), and '
        "hyphens (-)",
        f'{A}.ports[0].name: Invalid value: "UPPER": must contain at least one letter (a-z)']),
    (f"{C}.ports", [{"containerPort": 80, "protocol": "ICMP"}], [
        f'{A}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"']),
    (f"{C}.ports", [{"containerPort": 1, "hostPort": 80}, {"containerPort": 2, "hostPort": 80}], [
        f'{A}.ports[1].hostPort: Duplicate value: "TCP//80"']),
    (f"{C}.env", [{"name": "A=B", "value": "x"}], [
        f'{A}.env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable '
        "ASCII characters other than '='"]),
    (f"{C}.env", [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}], [
        f'{A}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty']),
    (f"{C}.env", [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nothing"}}}], [
        f'{A}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nothing": error converting fieldPath: field '
        "label not supported: spec.nothing"]),
    (f"{C}.env", [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}}], [
        f'{A}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: '
        '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
        '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"']),
    (f"{C}.env", [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x"}}}], [
        f"{A}.env[0].valueFrom.configMapKeyRef.key: Required value"]),
    (f"{C}.resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}, [
        f'{A}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']),
    (f"{C}.resources", {"limits": {"cpu": "-1"}}, [
        f'{A}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        f'{A}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0']),
    (f"{C}.resources", {"limits": {"gpus": "1"}}, [
        f'{A}.resources.limits[gpus]: Invalid value: "gpus": must be a standard resource type or fully qualified',
        f'{A}.resources.limits[gpus]: Invalid value: "gpus": must be a standard resource for containers',
        f'{A}.resources.requests[gpus]: Invalid value: "gpus": must be a standard resource type or fully qualified',
        f'{A}.resources.requests[gpus]: Invalid value: "gpus": must be a standard resource for containers']),
    (f"{C}.resources", {"requests": {"example.com/gpu": "1"}}, [
        f"{A}.resources.limits: Required value: Limit must be set for non overcommitable resources"]),
    (f"{C}.resources", {"limits": {"example.com/gpu": "500m"}}, [
        f'{A}.resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
        f'{A}.resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer']),
    (f"{C}.resources", {"limits": {"cpu": "one"}}, [
        f'{A}.resources.limits[cpu]: Invalid value: "one": quantities must match the regular expression '
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        f'{A}.resources.requests[cpu]: Invalid value: "one": quantities must match the regular expression '
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"]),
    (f"{C}.livenessProbe", {}, [f"{A}.livenessProbe: Required value: must specify a handler type"]),
    (f"{C}.livenessProbe", {"exec": {"command": ["x"]}, "tcpSocket": {"port": 1}}, [
        f"{A}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"]),
    (f"{C}.livenessProbe", {"httpGet": {"port": 80}, "successThreshold": 2}, [
        f"{A}.livenessProbe.successThreshold: Invalid value: 2: must be 1"]),
    (f"{C}.readinessProbe", {"httpGet": {"port": 0}, "periodSeconds": -1}, [
        f"{A}.readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
        f"{A}.readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"]),
    (f"{C}.lifecycle", {"preStop": {"sleep": {"seconds": 60}}}, [
        f"{A}.lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than "
        "terminationGracePeriodSeconds (30)"]),
    (f"{C}.volumeMounts", [{"name": "none", "mountPath": "/x"}], [f'{A}.volumeMounts[0].name: Not found: "none"']),
    (f"{C}.securityContext", {"runAsUser": -1}, [
        f"{A}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]),
    ("spec.volumes", [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}], [
        "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"]),
    ("spec.volumes", [{"name": "v", "configMap": {"name": ""}}], [
        "spec.volumes[0].configMap.name: Required value"]),
    ("spec.volumes", [{"name": "v", "secret": {"secretName": "s", "defaultMode": 512}}], [
        "spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both "
        "inclusive"]),
    ("spec.volumes", [{"name": "v", "secret": {"secretName": "s", "items": [{"key": "k", "path": "../p"}]}}], [
        "spec.volumes[0].secret.items[0].path: Invalid value: \"../p\": must not contain '..'"]),
    ("spec.volumes", [{"name": "v"}, {"name": "v"}], ['spec.volumes[1].name: Duplicate value: "v"']),
    ("spec.containers.0.restartPolicy", "Maybe", [
        'spec.containers[0].restartPolicy: Unsupported value: "Maybe": '
        'supported values: "Always", "OnFailure", "Never"']),
    ("spec.containers.0.restartPolicyRules", [{"action": "No"}], [
        "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
        'spec.containers[0].restartPolicyRules[0].action: Unsupported value: "No": '
        'supported values: "Restart", "RestartAllContainers"',
        "spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified"]),
    ("spec.restartPolicy", "Maybe", [
        'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"']),
    ("spec.dnsPolicy", "None", ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]),
    ("spec.nodeSelector", {"a": "b c"}, [
        'spec.nodeSelector: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric '
        "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"]),
    ("spec.tolerations", [{"operator": "Equal"}], [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which '
        'means "match all values and all keys"']),
    ("spec.tolerations", [{"key": "a", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 1}], [
        "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
        "`tolerationSeconds` is set"]),
    ("spec.topologySpreadConstraints", [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "Never"}], [
        "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
        'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: '
        '"DoNotSchedule", "ScheduleAnyway"']),
    ("spec.affinity", {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}, [
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: "
        "must have at least one node selector term"]),
    ("spec.activeDeadlineSeconds", 0, [
        "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]),
    ("spec.initContainers", [{"name": "web", "image": "x"}], ['spec.initContainers[0].name: Duplicate value: "web"']),
    ("spec.initContainers", [{"name": "i", "image": "x", "livenessProbe": {"exec": {"command": ["x"]}}}], [
        "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without "
        "restartPolicy=Always"]),
    ("spec.ephemeralContainers", [{"name": "debug", "image": "x"}], [
        "spec.ephemeralContainers: Forbidden: cannot be set on create"]),
    ("spec.hostAliases", [{"ip": "1.2.3"}], [
        'spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or '
        "2001:db8::ffff)"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "messages"), BAD, ids=[f"{n}-{path}" for n, (path, _, _) in enumerate(BAD)])
def test_refused(path: str, value: Any, messages: list[str]) -> None:
    _, errors = create(edited(pod(), path, value))
    assert errors == messages


def test_two_containers_of_one_name() -> None:
    twins = [{"name": "web", "image": "nginx:1"}, {"name": "web", "image": "nginx:2"}]
    _, errors = create(pod(containers=twins))
    assert errors == ['spec.containers[1].name: Duplicate value: "web"']


def test_nothing_but_a_name_is_refused_in_all_places() -> None:
    _, errors = create({"kind": "Pod", "metadata": {"name": "x", "namespace": "default"}})
    assert errors == ["spec.containers: Required value"]


def test_explicit_nulls_are_as_good_as_nothing() -> None:
    nulls = {
        "restartPolicy": None,
        "volumes": None,
        "initContainers": None,
        "containers": [{"name": "web", "image": "nginx:1", "ports": None, "env": None, "resources": None}],
        "securityContext": None,
    }
    stored, errors = create(pod(**nulls))
    assert errors == []
    assert stored["spec"]["restartPolicy"] == "Always"
