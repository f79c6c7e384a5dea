"""Roles and their bindings, and the classes of storage, priority and runtimes: refusals, changes, rows."""

from __future__ import annotations

from typing import Any

import pytest

from api import names
from apiserver.registry.columns import table_columns
from apiserver.registry.kind import Object
from tests.unit.registry.cases import changed, ids, judged, refused
from tests.unit.registry.objects import plain
from tests.unit.registry.support import NOW, kind_of

RBAC = "rbac.authorization.k8s.io"
REFUSED: list[tuple[str, str, Any, list[str]]] = [
    ("role", "rules.0.verbs", [], ["rules[0].verbs: Required value: verbs must contain at least one value"]),
    ("role", "rules.0.apiGroups", [], [
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group"]),
    ("role", "rules.0.resources", [], [
        "rules[0].resources: Required value: resource rules must supply at least one resource"]),
    ("role", "rules.0.nonResourceURLs", ["/a"], [
        'rules[0].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs',
        'rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and '
        "non-resource URLs"]),
    ("role", "metadata.name", "system:it", []),
    ("role", "metadata.name", "a/b", ["metadata.name: Invalid value: \"a/b\": may not contain '/'"]),
    ("clusterrole", "aggregationRule", {}, [
        "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
        "aggregationRule is non-nil"]),
    ("clusterrole", "metadata.namespace", "default", ["metadata.namespace: Forbidden: not allowed on this type"]),
    ("rolebinding", "roleRef", {}, [
        'roleRef.kind: Unsupported value: "": supported values: "Role", "ClusterRole"',
        "roleRef.name: Required value"]),
    ("rolebinding", "roleRef.apiGroup", "apps", [
        f'roleRef.apiGroup: Unsupported value: "apps": supported values: "{RBAC}"']),
    ("clusterrolebinding", "roleRef.kind", "Role", [
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"']),
    ("rolebinding", "subjects", [{"kind": "Node", "name": "a"}, {"kind": "User"}, {"kind": "User", "name": "a",
     "apiGroup": "b"}, {"kind": "ServiceAccount", "name": "a", "apiGroup": "b"}], [
        'subjects[0].kind: Unsupported value: "Node": supported values: "ServiceAccount", "User", "Group"',
        "subjects[1].name: Required value",
        f'subjects[2].apiGroup: Unsupported value: "b": supported values: "{RBAC}"',
        'subjects[3].apiGroup: Unsupported value: "b": supported values: ""']),
    ("clusterrolebinding", "subjects", [{"kind": "ServiceAccount", "name": "a"}], [
        "subjects[0].namespace: Required value"]),
    ("storageclass", "provisioner", None, ["provisioner: Required value"]),
    ("storageclass", "reclaimPolicy", "Recycle", [
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"']),
    ("storageclass", "volumeBindingMode", "Later", [
        'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"']),
    ("storageclass", "parameters", {"": "a"}, ['parameters: Invalid value: "": field can not be empty.']),
    ("storageclass", "allowedTopologies",
     [{"matchLabelExpressions": [{"key": "a"}, {"key": "a", "values": ["b", "b"]}]}], [
        "allowedTopologies[0].matchLabelExpressions[0].values: Required value",
        'allowedTopologies[0].matchLabelExpressions[1].values[1]: Duplicate value: "b"',
        'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "a"']),
    ("volumeattributesclass", "parameters", None, [
        "parameters: Required value: must contain at least one key/value pair"]),
    ("volumeattachment", "spec.source", {}, [
        "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"]),
    ("volumeattachment", "spec.source.inlineVolumeSpec", {}, [
        "spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName"]),
    ("storageclass", "provisioner", "A/B/C", [
        f'provisioner: Invalid value: "a/b/c": {"; ".join(names.qualified_name("a/b/c"))}']),
    ("csidriver", "spec.fsGroupPolicy", "Some", [
        'spec.fsGroupPolicy: Unsupported value: "Some": supported values: "ReadWriteOnceWithFSType", "File", "None"']),
    ("csidriver", "spec.volumeLifecycleModes", ["Short"], [
        'spec.volumeLifecycleModes: Unsupported value: "Short": supported values: "Persistent", "Ephemeral"']),
    ("csidriver", "spec.tokenRequests", [{"audience": "a", "expirationSeconds": 5}, {"audience": "a"}], [
        "spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes",
        'spec.tokenRequests[1].audience: Duplicate value: "a"']),
    ("csinode", "spec.drivers", [{"name": "a", "topologyKeys": ["b", "b"]}, {"name": "a", "nodeID": "x" * 257}], [
        "spec.drivers[0].nodeID: Required value",
        'spec.drivers[0]: Duplicate value: "b"',
        f'spec.drivers[1].nodeID: Invalid value: "{"x" * 257}": must be 256 characters or less',
        'spec.drivers[1].name: Duplicate value: "a"']),
    ("csistoragecapacity", "capacity", "-1", [
        'capacity: Invalid value: "-1": must be greater than or equal to 0']),
    ("priorityclass", "value", 1_000_000_001, [
        "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]),
    ("priorityclass", "metadata.name", "system-high", [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
        "system-high is not a known system priority class"]),
    ("priorityclass", "metadata.name", "system-node-critical", [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
        "value of system-node-critical PriorityClass must be 2000001000"]),
    ("priorityclass", "preemptionPolicy", "Ask", [
        'preemptionPolicy: Unsupported value: "Ask": supported values: "PreemptLowerPriority", "Never"']),
    ("runtimeclass", "handler", "a.b", ['handler: Invalid value: "a.b": must not contain dots']),
    ("runtimeclass", "scheduling.tolerations", [{"key": "a", "operator": "Exists"}] * 2, [
        'scheduling.tolerations[1]: Duplicate value: {"key":"a","operator":"Exists"}']),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value", "messages"), REFUSED, ids=ids(REFUSED))
def test_refused(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert refused(name, path, value) == messages


CHANGES: list[tuple[str, str, Any, list[str]]] = [
    ("rolebinding", "roleRef.name", "b", [
        f'roleRef: Invalid value: {{"apiGroup":"{RBAC}","kind":"Role","name":"b"}}: cannot change roleRef']),
    ("rolebinding", "subjects", [], []),
    ("storageclass", "provisioner", "b", ["provisioner: Forbidden: updates to provisioner are forbidden."]),
    ("storageclass", "parameters", {"a": "b"}, ["parameters: Forbidden: updates to parameters are forbidden."]),
    ("storageclass", "reclaimPolicy", "Retain", ["reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."]),
    ("storageclass", "volumeBindingMode", "WaitForFirstConsumer", [
        'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable']),
    ("storageclass", "allowVolumeExpansion", True, []),
    ("volumeattributesclass", "driverName", "b", ["driverName: Forbidden: updates to driverName are forbidden."]),
    ("volumeattachment", "spec.nodeName", "b", [
        'spec: Invalid value: {"attacher":"example.com","nodeName":"b","source":{"persistentVolumeName":"web"}}: field '
        "is immutable"]),
    ("csidriver", "spec.attachRequired", False, ["spec.attachedRequired: Invalid value: false: field is immutable"]),
    ("csinode", "spec.drivers.0.allocatable.count", 6, []),
    ("csinode", "spec.drivers.0.nodeID", "n2", [
        'spec.drivers: Invalid value: {"name":"example.com","nodeID":"n2","topologyKeys":["example.com/zone"]}: field '
        "is immutable"]),
    ("csistoragecapacity", "storageClassName", "b", ['storageClassName: Invalid value: "b": field is immutable']),
    ("priorityclass", "value", 5, ["value: Forbidden: may not be changed in an update."]),
    ("priorityclass", "preemptionPolicy", "Never", ['preemptionPolicy: Invalid value: "Never": field is immutable']),
    ("runtimeclass", "handler", "b", ['handler: Invalid value: "b": field is immutable']),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value", "messages"), CHANGES, ids=ids(CHANGES))
def test_changes(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert changed(name, path, value) == messages


def of(group: str, kind: str, **fields: Any) -> Object:
    return {**plain(kind, **fields), "apiVersion": f"{group}/v1"}


def dated(obj: Object) -> Object:
    obj["metadata"]["creationTimestamp"] = "2026-11-22T11:00:00Z"
    return obj


SUBJECTS = [{"kind": "User", "name": "a"}, {"kind": "User", "name": "b"}, {"kind": "ServiceAccount", "name": "c"}]
ROWS: list[tuple[Object, list[Any]]] = [
    (of(RBAC, "Role"), ["it", "2026-11-22T11:00:00Z"]),
    (of(RBAC, "RoleBinding", roleRef={"kind": "Role", "name": "r"}, subjects=SUBJECTS),
     ["it", "Role/r", "60m", "a, b", "", "/c"]),
    (of("storage.k8s.io", "StorageClass", provisioner="p", allowVolumeExpansion=True),
     ["it", "p", "Delete", "Immediate", True, "60m"]),
    (of("storage.k8s.io", "CSIDriver", spec={}), ["it", True, False, False, "<unset>", False, "<none>", "60m"]),
    (of("storage.k8s.io", "CSINode", spec={"drivers": [{}]}), ["it", 1, "60m"]),
    (of("storage.k8s.io", "CSIStorageCapacity", storageClassName="a"), ["it", "a", "<unset>"]),
    (of("scheduling.k8s.io", "PriorityClass", value=5, preemptionPolicy="Never"), ["it", 5, False, "60m", "Never"]),
]  # fmt: skip


@pytest.mark.parametrize(("obj", "cells"), ROWS, ids=[str(n) for n in range(len(ROWS))])
def test_rows(obj: Object, cells: list[Any]) -> None:
    assert [column.cell(dated(obj), NOW) for column in table_columns(kind_of(obj))] == cells


def test_the_status_of_an_attachment() -> None:
    failed = {"attachError": {"message": "x" * 1025, "errorCode": -1}, "attachmentMetadata": {"a": "x" * 262144}}
    assert judged("volumeattachment", failed) == [
        "status.attachmentMetadata: Too long: may not be more than 262144 bytes",
        "status.attachError.message: Too long: may not be more than 262144 bytes",
        "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    ]
