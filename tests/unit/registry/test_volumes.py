"""PersistentVolumes and their claims, and the sources of a pod's volumes: refusals, changes, statuses, rows."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry.kind import Object
from tests.unit.registry.cases import Case, changed, ids, judged, refused
from tests.unit.registry.objects import pod
from tests.unit.registry.support import BY_KIND, NOW, context, create, edited

MODES = '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
STORAGE = "spec.resources[storage]"

VOLUME: list[Case] = [
    ("spec.accessModes", None, ["spec.accessModes: Required value"]),
    ("spec.accessModes", ["Any"], [f'spec.accessModes: Unsupported value: "Any": supported values: {MODES}']),
    ("spec.accessModes", ["ReadWriteOncePod", "ReadWriteOnce"], [
        "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"]),
    ("spec.capacity", None, [
        "spec.capacity: Required value", 'spec.capacity: Unsupported value: {}: supported values: "storage"']),
    ("spec.capacity.storage", "0", ['spec.capacity[storage]: Invalid value: "0": must be greater than zero']),
    ("spec.persistentVolumeReclaimPolicy", "Keep", [
        'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", '
        '"Retain"']),
    ("spec.hostPath", None, ["spec: Required value: must specify a volume type"]),
    ("spec.nfs", {"server": "s", "path": "/p"}, ["spec.nfs: Forbidden: may not specify more than 1 volume type"]),
    ("spec.hostPath.path", "/a/../b", ["spec.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"]),
    ("spec.volumeMode", "Tape", [
        'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"']),
    ("spec.nodeAffinity", {}, [
        "spec.nodeAffinity.required: Required value: must specify required node constraints"]),
    ("spec.volumeAttributesClassName", "gold", [
        "spec.csi: Required value: has to be specified when using volumeAttributesClassName"]),
    ("spec", {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "local": {"path": "/d"}}, [
        "spec.nodeAffinity: Required value: Local volume requires node affinity"]),
    ("spec", {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "//."},
              "persistentVolumeReclaimPolicy": "Recycle"}, [
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"]),
]  # fmt: skip
CLAIM: list[Case] = [
    ("spec.accessModes", [], ["spec.accessModes: Required value: at least 1 access mode is required"]),
    ("spec.resources", {}, [f"{STORAGE}: Required value"]),
    ("spec.resources.requests.storage", "-1Gi", [f'{STORAGE}: Invalid value: "-1Gi": must be greater than zero']),
    ("spec.volumeMode", "Tape", [
        'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"']),
    ("spec.dataSource", {"kind": "VolumeSnapshot", "name": "s"}, [
        "spec.dataSource: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the "
        "default apiGroup",
        "spec.dataSourceRef: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the "
        "default apiGroup"]),
    ("spec.dataSourceRef", {"kind": "PersistentVolumeClaim", "name": "third"}, [
        'spec: Invalid value: "spec.dataSource": must match dataSourceRef']),
    ("spec.dataSourceRef", {"kind": "PersistentVolumeClaim", "name": "other", "namespace": "b"}, [
        'spec: Invalid value: "spec.dataSource": may not be specified when dataSourceRef.namespace is specified']),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "path", "value", "messages"),
    [("persistentvolume", *case) for case in VOLUME] + [("persistentvolumeclaim", *case) for case in CLAIM],
)
def test_refused(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert refused(name, path, value) == messages


def test_a_csi_volume_names_its_driver_and_handle() -> None:
    csi = {"controllerPublishSecretRef": {"name": "A"}}
    found = refused("persistentvolume", "spec.csi", csi)
    assert [message for message in found if "hostPath" not in message] == [
        "spec.csi: Forbidden: may not specify more than 1 volume type"
    ]
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "csi": csi}
    required = [message for message in refused("persistentvolume", "spec", spec) if "Required" in message]
    assert required == [
        "spec.csi.driver: Required value",
        "spec.csi.volumeHandle: Required value",
        "spec.csi.controllerPublishSecretRef.namespace: Required value",
    ]


IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
CHANGES: list[tuple[str, str, Any, dict[str, Any], list[str]]] = [
    ("persistentvolume", "spec.hostPath.path", "/other", {}, [
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n"
        '- spec.hostPath.path: "/data"\n+ spec.hostPath.path: "/other"']),
    ("persistentvolume", "spec.claimRef", {"name": "a", "namespace": "b"}, {}, []),
    ("persistentvolume", "spec.persistentVolumeReclaimPolicy", "Delete", {}, []),
    ("persistentvolume", "spec.volumeMode", "Block", {}, [
        'volumeMode: Invalid value: "Block": field is immutable']),
    ("persistentvolumeclaim", "spec.volumeName", "disk", {}, []),
    ("persistentvolumeclaim", "spec.volumeName", "disk", {"spec__volumeName": "tape"}, [
        f'spec: Forbidden: {IMMUTABLE}\n- spec.volumeName: "tape"\n+ spec.volumeName: "disk"']),
    ("persistentvolumeclaim", "spec.resources.requests.storage", "2Gi", {}, [
        f'spec: Forbidden: {IMMUTABLE}\n- spec.resources.requests.storage: "1Gi"\n'
        '+ spec.resources.requests.storage: "2Gi"']),
    ("persistentvolumeclaim", "spec.resources.requests.storage", "2Gi", {"status__phase": "Bound"}, []),
    ("persistentvolumeclaim", "spec.resources.requests.storage", "512Mi",
     {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}, [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]),
    ("persistentvolumeclaim", "spec.resources.requests.storage", "2Gi",
     {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}, "spec__resources__requests__storage": "4Gi"}, []),
    ("persistentvolumeclaim", "spec.storageClassName", "fast", {}, []),
    ("persistentvolumeclaim", "spec.storageClassName", "fast", {"spec__storageClassName": "slow"}, [
        f'spec: Forbidden: {IMMUTABLE}\n- spec.storageClassName: "slow"\n+ spec.storageClassName: "fast"']),
    ("persistentvolumeclaim", "spec.volumeAttributesClassName", None, {"spec__volumeAttributesClassName": "a"}, [
        "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden"]),
    ("persistentvolumeclaim", "spec.volumeAttributesClassName", "b", {"spec__volumeAttributesClassName": "a"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value", "before", "messages"), CHANGES, ids=ids(CHANGES))
def test_changes(name: str, path: str, value: Any, before: dict[str, Any], messages: list[str]) -> None:
    assert changed(name, path, value, **before) == messages


def test_a_volumes_phase_has_its_time() -> None:
    strategy = BY_KIND["PersistentVolume"].strategy
    old = {"metadata": {"name": "a"}, "spec": {}, "status": {"phase": "Pending", "lastPhaseTransitionTime": "then"}}
    new = {**old, "status": {"phase": "Bound", "lastPhaseTransitionTime": "then"}}
    strategy.prepare_for_status_update(new, old, context())
    assert new["status"] == {"phase": "Bound", "lastPhaseTransitionTime": "2026-11-22T12:00:00Z"}


def test_a_claims_status() -> None:
    status = {
        "capacity": {"storage": "-1"},
        "allocatedResourceStatuses": {"storage": "Growing"},
        "allocatedResources": {"cpu": "1"},
    }
    messages = judged("persistentvolumeclaim", status)
    assert messages[0] == 'status.capacity[storage]: Invalid value: "-1": must be a valid resource quantity'
    assert messages[1].startswith('status.allocatedResourceStatus: Unsupported value: "storage"')
    assert messages[2] == 'status.allocatedResources: Unsupported value: "cpu": supported values: "storage"'


CLASS = {"volume.beta.kubernetes.io/storage-class": "old"}
ROWS: list[tuple[str, Object, list[Any]]] = [
    ("PersistentVolume", {"metadata": {"name": "a"}, "status": {"phase": "Bound", "reason": "x"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"], "storageClassName": "s",
        "claimRef": {"namespace": "n", "name": "c"}, "persistentVolumeReclaimPolicy": "Retain"}},
        ["1Gi", "RWO,RWX", "Retain", "Bound", "n/c", "s", "<unset>", "x", "<unset>"]),
    ("PersistentVolumeClaim", {"metadata": {"name": "a", "annotations": CLASS}, "spec": {"volumeName": "v"},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadOnlyMany"]}},
        ["Bound", "v", "1Gi", "ROX", "old", "<unset>", "<unset>"]),
    ("PersistentVolumeClaim", {"metadata": {"name": "a", "deletionTimestamp": "x"}, "spec": {"volumeMode": "Block"}},
        ["Terminating", "", "", "", "", "<unset>", "Block"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "obj", "row"), ROWS, ids=[f"{row[0]}-{n}" for n, row in enumerate(ROWS)])
def test_rows(kind: str, obj: Object, row: list[Any]) -> None:
    assert [column.cell(obj, NOW) for column in BY_KIND[kind].columns] == row


V = "spec.volumes[0]"
SOURCES: list[tuple[Object, list[str]]] = [
    ({"csi": {"driver": "d", "nodePublishSecretRef": {}}}, [f"{V}.csi.nodePublishSecretRef.name: Required value"]),
    ({"ephemeral": {}}, [f"{V}.ephemeral.volumeClaimTemplate: Required value"]),
    ({"ephemeral": {"volumeClaimTemplate": {"metadata": {"name": "x"}, "spec": {"accessModes": ["ReadWriteOnce"]}}}}, [
        f"{V}.ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
        f"{V}.ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value"]),
    ({"image": {"pullPolicy": "Often"}}, [
        f"{V}.image.reference: Required value",
        f'{V}.image.pullPolicy: Unsupported value: "Often": supported values: "Always", "IfNotPresent", "Never"']),
    ({"iscsi": {"targetPortal": "p", "iqn": "x", "lun": 300}}, [
        f'{V}.iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
        f"{V}.iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive"]),
    ({"fc": {"targetWWNs": ["a"]}}, [f"{V}.fc.lun: Required value: lun is required if targetWWNs is specified"]),
    ({"flocker": {}}, [f"{V}.flocker: Required value: one of datasetName and datasetUUID is required"]),
    ({"flexVolume": {"driver": "d", "options": {"a.kubernetes.io/b": "c"}}}, [
        f'{V}.flexVolume.options[a.kubernetes.io/b]: Invalid value: "a.kubernetes.io/b": kubernetes.io and k8s.io '
        "namespaces are reserved"]),
    ({"glusterfs": {"path": "p"}}, [f"{V}.glusterfs.endpoints: Required value"]),
    ({"gcePersistentDisk": {}}, [f"{V}.persistentDisk.pdName: Required value"]),
    ({"emptyDir": {}, "image": {"reference": "x"}, "hostPath": {"path": "/"}}, [
        f"{V}.hostPath: Forbidden: may not specify more than 1 volume type",
        f"{V}.image: Forbidden: may not specify more than 1 volume type"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "messages"), SOURCES, ids=["-".join(source) for source, _ in SOURCES])
def test_the_sources_of_a_pods_volume(source: Object, messages: list[str]) -> None:
    _, errors = create(edited(pod(), "spec.volumes", [{"name": "v", **source}]))
    assert errors == messages
