"""Workloads, volumes, quotas, autoscalers with the real kubectl: made from manifests, listed, described, changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness.kubectl import Kubectl
from tests.integration.registry.conftest import Api

MANIFEST = Path(__file__).parent / "workloads.yaml"


@pytest.fixture(scope="module")
def made(api: Api, kubectl: Kubectl) -> Kubectl:
    """kubectl in a namespace that has one object of each kind."""
    kubectl("create", "namespace", "workloads")
    inside = Kubectl(kubectl.kubeconfig, "workloads")
    inside("create", "-f", str(MANIFEST))
    return inside


def lines(text: str) -> list[list[str]]:
    """A table's lines, the cells split where at least two blanks stand."""
    return [[cell.strip() for cell in line.split("  ") if cell] for line in text.splitlines()]


POD = ["CONTAINERS", "IMAGES"]
REPLICAS = ["NAME", "DESIRED", "CURRENT", "READY", "AGE", *POD, "SELECTOR"]
# what is asked for -> the header and the cells that do not depend on the time
TABLES: list[tuple[str, list[str], dict[int, str]]] = [
    ("rc", REPLICAS, {0: "web", 1: "2", 2: "0", 5: "web", 6: "nginx:1", 7: "app=web"}),
    ("podtemplates", ["NAME", *POD, "POD LABELS"], {0: "web", 1: "web", 2: "nginx:1", 3: "app=web"}),
    ("quota", ["NAME", "REQUEST", "LIMIT", "AGE"], {0: "web"}),
    ("limits", ["NAME", "CREATED AT"], {0: "web"}),
    ("sts", ["NAME", "READY", "AGE", *POD], {0: "web", 1: "0/2", 3: "web", 4: "nginx:1"}),
    ("ds", ["NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE", *POD, "SELECTOR"],
     {0: "web", 1: "0", 5: "0", 6: "kubernetes.io/os=linux", 8: "web", 9: "nginx:1", 10: "app=web"}),
    ("jobs", ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE", *POD, "SELECTOR"],
     {0: "web", 1: "Running", 2: "0/3"}),
    ("cj", ["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE", *POD, "SELECTOR"],
     {0: "web", 1: "*/5 * * * *", 2: "Europe/Berlin", 3: "False", 4: "0", 5: "<none>", 9: "<none>"}),
    ("pv", ["NAME", "CAPACITY", "ACCESS MODES", "RECLAIM POLICY", "STATUS", "CLAIM", "STORAGECLASS",
            "VOLUMEATTRIBUTESCLASS", "REASON", "AGE", "VOLUMEMODE"],
     {0: "web", 1: "5Gi", 2: "RWO,ROX", 3: "Retain", 4: "Pending", 5: "workloads/web", 6: "slow", 7: "<unset>"}),
    ("pvc", ["NAME", "STATUS", "VOLUME", "CAPACITY", "ACCESS MODES", "STORAGECLASS", "VOLUMEATTRIBUTESCLASS", "AGE",
             "VOLUMEMODE"], {0: "web", 1: "Pending", 2: "slow", 3: "<unset>", 5: "Filesystem"}),
    ("pdb", ["NAME", "MIN AVAILABLE", "MAX UNAVAILABLE", "ALLOWED DISRUPTIONS", "AGE"],
     {0: "web", 1: "50%", 2: "N/A", 3: "0"}),
    ("hpa", ["NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS", "REPLICAS", "AGE"],
     {0: "web", 1: "Deployment/web", 2: "cpu: <unknown>/60%, <unknown>/10", 3: "1", 4: "5", 5: "0"}),
]  # fmt: skip


@pytest.mark.parametrize(("plural", "header", "cells"), TABLES, ids=[table[0] for table in TABLES])
def test_get_wide(made: Kubectl, plural: str, header: list[str], cells: dict[int, str]) -> None:
    table = lines(made("get", plural, "-o", "wide", "--field-selector=metadata.name=web"))
    assert table[0] == header
    assert {index: table[1][index] for index in cells} == cells


def test_get_all(made: Kubectl) -> None:
    found = {line[0].split("/")[0] for line in lines(made("get", "all", "--no-headers")) if line}
    assert found == {
        "replicationcontroller",
        "daemonset.apps",
        "statefulset.apps",
        "horizontalpodautoscaler.autoscaling",
        "cronjob.batch",
        "job.batch",
    }


# what is described -> words that must be there, blanks aside
DESCRIBED = [
    ("rc/web", ["Replicas: 0 current / 2 desired"]),
    ("sts/web", ["Update Strategy: RollingUpdate Partition: 0", "WhenDeleted: Retain", "Name: data", "Capacity: 1Gi"]),
    ("ds/web", ["Node-Selector: kubernetes.io/os=linux", "deprecated.daemonset.template.generation: 1"]),
    ("job/web", ["Completions: 3", "Completion Mode: NonIndexed", "Backoff Limit: 6"]),
    ("cronjob/web", ["Schedule: */5 * * * *", "Time Zone: Europe/Berlin", "Successful Job History Limit: 3"]),
    ("pv/web", ["Claim: workloads/web", "Access Modes: RWO,ROX", "HostPath (bare host directory volume)"]),
    ("pvc/web", ["Status: Pending", "VolumeMode: Filesystem"]),
    ("limits/web", ["Container cpu 100m 2 2 2 -"]),
    ("pdb/web", ["Min available: 50%", "Allowed disruptions: 0"]),
    ("hpa/web", ['"hits" on pods: <unknown> / 10', "Stabilization Window: 60 seconds", "Type: Pods Value: 4"]),
    ("podtemplate/web", ["Image: nginx:1"]),
]


@pytest.mark.parametrize(("what", "words"), DESCRIBED, ids=[what for what, _ in DESCRIBED])
def test_describe(made: Kubectl, what: str, words: list[str]) -> None:
    text = " ".join(made("describe", what).split())
    assert [line for line in words if line not in text] == []


def shown(made: Kubectl, what: str, path: str) -> Any:
    found: Any = json.loads(made("get", what, "-o", "json"))
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else found[part]
    return found


def test_commands_that_make_and_change(made: Kubectl) -> None:
    made("create", "cronjob", "often", "--image=busybox:1", "--schedule=* * * * *", "--", "date")
    made("create", "job", "now", "--from=cronjob/often")
    assert shown(made, "job/now", "metadata.ownerReferences.0.name") == "often"
    made("create", "quota", "small", "--hard=cpu=1,pods=2", "--scopes=NotTerminating")
    made("create", "poddisruptionbudget", "guard", "--selector=app=x", "--max-unavailable=10%")
    made("create", "deployment", "front", "--image=nginx:1", "--replicas=2")
    made("autoscale", "deployment", "front", "--min=2", "--max=4", "--cpu=50%")
    assert shown(made, "hpa/front", "spec.metrics.0.resource.target.averageUtilization") == 50
    made("scale", "statefulset/web", "rc/web", "--replicas=4")
    assert [shown(made, what, "spec.replicas") for what in ("sts/web", "rc/web")] == [4, 4]
    made("set", "image", "daemonset/web", "web=nginx:2")
    assert shown(made, "ds/web", "metadata.generation") == 2
    made("expose", "rc", "web", "--port=80")
    assert shown(made, "service/web", "spec.selector") == {"app": "web"}
    made("patch", "cronjob", "often", "-p", '{"spec":{"suspend":true}}')
    assert lines(made("get", "cronjob", "often", "--no-headers"))[0][3] == "True"
    assert made("get", "jobs", "--field-selector=status.successful=0", "-o", "name").split()
    assert not made("get", "jobs", "--field-selector=status.successful=1", "-o", "name").split()


def test_an_autoscaler_in_its_older_version(made: Kubectl) -> None:
    older = "horizontalpodautoscalers.v1.autoscaling/web"
    assert shown(made, older, "spec.targetCPUUtilizationPercentage") == 60
    made("patch", *older.split("/"), "--type=merge", "-p", '{"spec":{"targetCPUUtilizationPercentage":55}}')
    metrics = shown(made, "hpa/web", "spec.metrics")
    assert [each["type"] for each in metrics] == ["Pods", "Resource"]
    assert metrics[1]["resource"]["target"]["averageUtilization"] == 55
    assert shown(made, "hpa/web", "spec.behavior.scaleDown.stabilizationWindowSeconds") == 60
    made("patch", "hpa", "web", "--type=merge", "-p", '{"spec":{"metrics":null}}')
    assert shown(made, older, "spec.targetCPUUtilizationPercentage") == 80
