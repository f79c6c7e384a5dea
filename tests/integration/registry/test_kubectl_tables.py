"""What people see: the real kubectl's tables and descriptions of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness.kubectl import Kubectl
from tests.integration.registry.conftest import Api

MANIFEST = Path(__file__).parent / "sample.yaml"
STATUS = {
    "phase": "Running",
    "podIP": "10.244.0.5",
    "podIPs": [{"ip": "10.244.0.5"}],
    "conditions": [{"type": "Ready", "status": "True"}],
    "containerStatuses": [
        {
            "name": "web",
            "image": "nginx:1",
            "imageID": "",
            "ready": True,
            "restartCount": 2,
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:00:00Z"}},
        }
    ],
}


@pytest.fixture(scope="module")
def sample(api: Api, kubectl: Kubectl) -> Kubectl:
    """kubectl in a namespace that has one object of each kind."""
    kubectl("create", "namespace", "tables")
    inside = Kubectl(kubectl.kubeconfig, "tables")
    inside("create", "-f", str(MANIFEST))
    answer = api.patch("/api/v1/namespaces/tables/pods/web/status", {"status": STATUS})
    assert answer.code == 200, answer
    return inside


def rows(text: str) -> list[list[str]]:
    """A table's lines, the cells split where at least two blanks stand."""
    return [[cell for cell in line.split("  ") if cell] for line in text.splitlines()]


# what is asked for -> the header and the cells that do not depend on the time
TABLES: list[tuple[str, list[str], dict[int, str]]] = [
    ("pods", ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
     {0: "web", 1: "1/1", 2: "Running", 5: "10.244.0.5", 6: "<none>"}),
    ("services", ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"],
     {0: "web", 1: "NodePort", 2: "10.96.50.50", 3: "<none>", 4: "80:30555/TCP", 6: "app=web"}),
    ("deployments", ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"],
     {0: "web", 1: "0/3", 2: "0", 5: "web", 6: "nginx:1", 7: "app=web"}),
    ("replicasets", ["NAME", "DESIRED", "CURRENT", "READY", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"],
     {0: "web", 1: "2", 2: "0", 7: "app=web"}),
    ("configmaps", ["NAME", "DATA", "AGE"], {0: "web", 1: "2"}),
    ("secrets", ["NAME", "TYPE", "DATA", "AGE"], {0: "web", 1: "Opaque", 2: "1"}),
    ("serviceaccounts", ["NAME", "SECRETS", "AGE"], {0: "web", 1: "0"}),
    ("endpointslices", ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"],
     {0: "web", 1: "IPv4", 2: "80", 3: "10.244.0.5"}),
    ("leases.coordination.k8s.io", ["NAME", "HOLDER", "AGE"], {0: "web", 1: "me"}),
    ("events",
     ["LAST SEEN", "TYPE", "REASON", "OBJECT", "SUBOBJECT", "SOURCE", "MESSAGE", "FIRST SEEN", "COUNT", "NAME"],
     {1: "Normal", 2: "Pulled", 3: "pod/web", 9: "web"}),
    ("controllerrevisions", ["NAME", "CONTROLLER", "REVISION", "AGE"], {0: "web", 1: "<none>", 2: "1"}),
]  # fmt: skip


@pytest.mark.parametrize(("plural", "header", "cells"), TABLES, ids=[table[0] for table in TABLES])
def test_get_wide(sample: Kubectl, plural: str, header: list[str], cells: dict[int, str]) -> None:
    lines = rows(sample("get", plural, "--field-selector=metadata.name=web", "-o", "wide"))
    assert [cell.strip() for cell in lines[0]] == header
    line = sample("get", plural, "--field-selector=metadata.name=web", "-o", "wide", "--no-headers")
    shown = [cell.strip() for cell in rows(line)[0]]
    if plural != "events":  # an event's empty cells leave no trace
        assert {index: shown[index] for index in cells} == cells
    else:
        assert [cell for cell in cells.values() if cell not in shown] == []


def test_restarts_say_how_long_ago(sample: Kubectl) -> None:
    line = sample("get", "pod", "web", "--no-headers")
    assert " 2 (" in line
    assert " ago)" in line


def test_nodes(sample: Kubectl, api: Api) -> None:
    node = {"kind": "Node", "metadata": {"name": "table-1", "labels": {"node-role.kubernetes.io/worker": ""}}}
    api.made("/api/v1/nodes", {**node, "apiVersion": "v1"})
    info = {
        "kubeletVersion": "v1.36.0",
        "osImage": "Debian",
        "kernelVersion": "6.1",
        "containerRuntimeVersion": "d://1",
    }
    status = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {**_empty_info(), **info}}
    assert api.patch("/api/v1/nodes/table-1/status", {"status": status}).code == 200
    sample("cordon", "table-1")
    header, line = rows(sample("get", "nodes", "table-1", "-o", "wide"))
    assert [cell.strip() for cell in header] == [
        "NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION",
        "CONTAINER-RUNTIME",
    ]  # fmt: skip
    cells = [cell.strip() for cell in line]
    assert cells[:3] == ["table-1", "Ready,SchedulingDisabled", "worker"]
    assert cells[4:] == ["v1.36.0", "<none>", "<none>", "Debian", "6.1", "d://1"]
    assert "worker" in sample("describe", "node", "table-1")
    sample("delete", "node", "table-1")


def _empty_info() -> dict[str, str]:
    names = ("machineID", "systemUUID", "bootID", "operatingSystem", "architecture", "kubeProxyVersion")
    return dict.fromkeys(names, "")


# what is described -> words that must be there, blanks aside
DESCRIBED = [
    ("pod/web", ["QoS Class: BestEffort", "Priority: 0", "IP: 10.244.0.5"]),
    ("deployment/web", ["Replicas: 3 desired", "25% max unavailable, 25% max surge"]),
    ("replicaset/web", ["Replicas: 0 current / 2 desired"]),
    (
        "service/web",
        ["10.96.50.50", "30555/TCP", "External Traffic Policy: Cluster", "Session Affinity: None"],
    ),
    ("configmap/web", ["Data", "a:"]),
    ("secret/web", ["Type: Opaque", "password: 6 bytes"]),
    ("serviceaccount/web", ["Name:", "web"]),
    ("endpointslice/web", ["AddressType:", "IPv4", "10.244.0.5"]),
    ("lease/web", ["Holder Identity:", "me"]),
    ("controllerrevision/web", ["Revision:", "1"]),
    ("namespace/tables", ["Status:", "Active"]),
]


@pytest.mark.parametrize(("what", "lines"), DESCRIBED, ids=[what for what, _ in DESCRIBED])
def test_describe(sample: Kubectl, what: str, lines: list[str]) -> None:
    text = " ".join(sample("describe", what).split())
    assert [line for line in lines if line not in text] == []


SELECTED = [
    ("pods", "status.phase=Running,spec.schedulerName=default-scheduler", True),
    ("pods", "status.phase!=Running", False),
    ("pods", "spec.nodeName=,spec.restartPolicy=Always,spec.hostNetwork=false,status.podIP=10.244.0.5", True),
    ("secrets", "type=Opaque", True),
    ("secrets", "type=kubernetes.io/tls", False),
    ("events", "involvedObject.kind=Pod,involvedObject.name=web,reason=Pulled,type=Normal,source=kubelet", True),
    ("services", "spec.type=NodePort,spec.clusterIP=10.96.50.50", True),
    ("replicasets", "status.replicas=0", True),
]


@pytest.mark.parametrize(("plural", "fields", "there"), SELECTED)
def test_field_selectors(sample: Kubectl, plural: str, fields: str, there: bool) -> None:
    found: dict[str, Any] = json.loads(sample("get", plural, f"--field-selector={fields}", "-o", "json"))
    assert ["web"] * there == [item["metadata"]["name"] for item in found["items"]]
