"""StatefulSets, DaemonSets, ReplicationControllers and PodTemplates: refusals, changes, statuses, rows."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry.daemonset import GENERATION
from apiserver.registry.kind import Object
from tests.unit.registry.cases import Case, changed, ids, judged, refused
from tests.unit.registry.support import BY_KIND, NOW, create, edited, update

LESS = "must be greater than or equal to 0"
MISMATCH = 'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`'
OTHER = {"labels": {"app": "other"}}
CLAIM = "spec.volumeClaimTemplates[0]"

STATEFUL: list[Case] = [
    ("metadata.name", "a.b", ['metadata.name: Invalid value: "a.b": must not contain dots']),
    ("spec.podManagementPolicy", "Any", [
        "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'"]),
    ("spec.updateStrategy", {"type": "Recreate"}, [
        'spec.updateStrategy: Invalid value: {"type":"Recreate"}: must be \'RollingUpdate\' or \'OnDelete\'']),
    ("spec.updateStrategy", {"type": "OnDelete", "rollingUpdate": {"partition": 1}}, [
        'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy '
        "'RollingUpdate'"]),
    ("spec.updateStrategy", {"rollingUpdate": {"partition": -1, "maxUnavailable": 0}}, [
        f"spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: {LESS}",
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0"]),
    ("spec.persistentVolumeClaimRetentionPolicy", {"whenScaled": "Keep"}, [
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", '
        '"Delete"']),
    ("spec.ordinals", {"start": -1}, [f"spec.ordinals.start: Invalid value: -1: {LESS}"]),
    ("spec.selector", None, ["spec.selector: Required value"]),
    ("spec.selector", {}, ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"]),
    ("spec.template.metadata", OTHER, [MISMATCH]),
    ("spec.template.spec.activeDeadlineSeconds", 5, [
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported"]),
    ("spec.template.spec.restartPolicy", "Never", [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
    ("spec.template.spec.containers.0.volumeMounts", [{"name": "logs", "mountPath": "/l"}], [
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "logs"']),
    ("spec.volumeClaimTemplates.0.spec", {"accessModes": ["Any"]}, [
        f'{CLAIM}.spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", '
        '"ReadWriteOnce", "ReadWriteOncePod"',
        f"{CLAIM}.spec.resources[storage]: Required value"]),
]  # fmt: skip
DAEMON: list[Case] = [
    ("spec.selector", {}, ["spec.selector: Invalid value: {}: empty selector is invalid for daemonset"]),
    ("spec.template.metadata", OTHER, [MISMATCH]),
    ("spec.minReadySeconds", -1, [f"spec.minReadySeconds: Invalid value: -1: {LESS}"]),
    ("spec.updateStrategy", {"type": "Never"}, [
        'spec.updateStrategy: Unsupported value: {"type":"Never"}: supported values: "RollingUpdate", "OnDelete"']),
    ("spec.updateStrategy", {"rollingUpdate": {"maxSurge": 1}}, [
        "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is "
        "non-zero"]),
    ("spec.updateStrategy", {"rollingUpdate": {"maxUnavailable": 0}}, [
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
    ("spec.updateStrategy", {"rollingUpdate": {"maxUnavailable": "200%"}}, [
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "200%": must not be greater than 100%']),
    ("spec.updateStrategy", {"type": "OnDelete"}, []),
]  # fmt: skip
CONTROLLER: list[Case] = [
    ("spec.template", None, ["spec.selector: Required value", "spec.template: Required value"]),
    ("spec.selector", {"app": "db"}, [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']),
    ("spec.replicas", -1, [f"spec.replicas: Invalid value: -1: {LESS}"]),
    ("spec.template.spec.activeDeadlineSeconds", 5, [
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not "
        "Supported"]),
]  # fmt: skip
TEMPLATE: list[Case] = [("template.spec.containers", [], ["template.spec.containers: Required value"])]
BAD = {"statefulset": STATEFUL, "daemonset": DAEMON, "replicationcontroller": CONTROLLER, "podtemplate": TEMPLATE}


@pytest.mark.parametrize(
    ("name", "path", "value", "messages"), [(name, *case) for name, cases in BAD.items() for case in cases]
)
def test_refused(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert refused(name, path, value) == messages


FIXED = (
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
    "forbidden"
)
CHANGES: list[tuple[str, str, Any, list[str]]] = [
    ("statefulset", "spec.replicas", 0, []),
    ("statefulset", "spec.template.spec.containers.0.image", "nginx:2", []),
    ("statefulset", "spec.revisionHistoryLimit", 3, []),
    ("statefulset", "spec.serviceName", "other", [FIXED]),
    ("statefulset", "spec.podManagementPolicy", "Parallel", [FIXED]),
    ("statefulset", "spec.volumeClaimTemplates.0.spec.storageClassName", "fast", [FIXED]),
    ("daemonset", "spec.selector.matchLabels", {"app": "web", "a": "b"}, [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        'spec.selector: Invalid value: {"matchLabels":{"a":"b","app":"web"}}: field is immutable']),
    ("replicationcontroller", "spec.template.metadata.labels.tier", "a", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value", "messages"), CHANGES, ids=ids(CHANGES))
def test_changes(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert changed(name, path, value) == messages


def test_a_daemon_set_counts_the_changes_of_its_template() -> None:
    meta = {"name": "d", "namespace": "default", "annotations": {GENERATION: "x"}}
    pod = {"containers": [{"name": "web", "image": "nginx:1"}]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod}}
    old, errors = create({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec})
    assert (errors, old["metadata"]["annotations"][GENERATION]) == ([], "1")
    same, _ = update(edited(old, "spec.minReadySeconds", 3), old)
    assert same["metadata"]["annotations"][GENERATION] == "1"
    other, _ = update(edited(old, "spec.template.spec.containers.0.image", "nginx:2"), old)
    assert other["metadata"]["annotations"][GENERATION] == "2"


STATUSES: list[tuple[str, Object, Object, list[str]]] = [
    ("statefulset", {"replicas": 1, "readyReplicas": 2}, {}, [
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"]),
    ("statefulset", {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2}, {}, [
        "status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas"]),
    ("statefulset", {"replicas": 0, "collisionCount": 1}, {"collisionCount": 2}, [
        "status.collisionCount: Invalid value: 1: cannot be decremented"]),
    ("daemonset", {"numberReady": -1}, {}, [f"status.numberReady: Invalid value: -1: {LESS}"]),
    ("daemonset", {}, {"collisionCount": 2}, ["status.collisionCount: Invalid value: 0: cannot be decremented"]),
    ("replicationcontroller", {"replicas": 1, "fullyLabeledReplicas": 2}, {}, [
        "status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "before", "messages"), STATUSES, ids=ids(STATUSES))
def test_statuses(name: str, status: Object, before: Object, messages: list[str]) -> None:
    assert judged(name, status, before) == messages


POD = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "y"}], "nodeSelector": {}}}
ROWS: list[tuple[str, Object, list[Any]]] = [
    ("StatefulSet", {"spec": {"replicas": 3, "template": POD}, "status": {"readyReplicas": 2}}, ["2/3", "x", "y"]),
    ("DaemonSet", {"spec": {"template": POD, "selector": {"matchLabels": {"a": "b"}}}, "status": {
        "desiredNumberScheduled": 5, "currentNumberScheduled": 4, "numberReady": 3, "updatedNumberScheduled": 2,
        "numberAvailable": 1}}, [5, 4, 3, 2, 1, "<none>", "x", "y", "a=b"]),
    ("ReplicationController", {"spec": {"replicas": 3, "template": POD, "selector": {"a": "b", "c": "d"}},
        "status": {"replicas": 2, "readyReplicas": 1}}, [3, 2, 1, "x", "y", "a=b,c=d"]),
    ("PodTemplate", {"template": POD}, ["p", "x", "y", "a=b"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "obj", "row"), ROWS, ids=[row[0] for row in ROWS])
def test_rows(kind: str, obj: Object, row: list[Any]) -> None:
    named = {**obj, "metadata": {"name": "p"}}
    assert [column.cell(named, NOW) for column in BY_KIND[kind].columns] == row
