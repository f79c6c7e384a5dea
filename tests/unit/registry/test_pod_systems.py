"""Pods: operating systems, what is asked for as a whole, volumes as devices, claims, and what a waiting pod may get."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry.kind import Object
from apiserver.registry.podspec.whole import container_requests
from tests.unit.registry.cases import Case, ids
from tests.unit.registry.objects import pod
from tests.unit.registry.support import create, edited, update

C, A = "spec.containers.0", "spec.containers[0]"
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def devices(*paths: str) -> list[Object]:
    return [{"name": "disk", "devicePath": path} for path in paths]


def disk(**container: Any) -> Object:
    volumes = [{"name": "disk", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "tmp", "emptyDir": {}}]
    spec: Object = pod(volumes=volumes, containers=[{"name": "web", "image": "nginx:1", **container}])["spec"]
    return spec


def asking(**amounts: str) -> Object:
    return {"name": "c", "image": "i", "resources": {"requests": amounts}}


BAD: list[Case] = [
    ("spec.os", {"name": "beos"}, ['spec.os: Unsupported value: "beos": supported values: "linux", "windows"']),
    ("spec", {**pod(os={"name": "linux"})["spec"], "securityContext": {"windowsOptions": {}}}, [
        "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"]),
    ("spec", pod(os={"name": "windows"}, hostPID=True, hostIPC=False, shareProcessNamespace=False, containers=[
        {"name": "c", "image": "i", "securityContext": {"privileged": False, "runAsUser": 1}}])["spec"], [
        "spec.hostPID: Forbidden: cannot be set for a windows pod",
        "spec.shareProcessNamespace: Forbidden: cannot be set for a windows pod",
        f"{A}.securityContext.privileged: Forbidden: cannot be set for a windows pod",
        f"{A}.securityContext.runAsUser: Forbidden: cannot be set for a windows pod"]),
    ("spec", pod(resources={"requests": {"cpu": "1"}}, containers=[asking(cpu="600m"), asking(cpu="600m") | {
        "name": "d"}])["spec"], [
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container '
        "requests of 1200m"]),
    ("spec", pod(resources={"limits": {"memory": "1Gi"}}, containers=[
        {"name": "c", "image": "i", "resources": {"limits": {"memory": "2Gi"}, "requests": {"memory": "1"}}}])["spec"],
     [f'{A}.resources.limits[memory]: Invalid value: "2Gi": must be less than or equal to pod limits of 1Gi']),
    ("spec.resources", {"limits": {"example.com/gpu": "1"}}, [
        'spec.resources.limits[example.com/gpu]: Unsupported value: "example.com/gpu": supported values: "cpu", '
        '"hugepages-", "memory"',
        'spec.resources.requests[example.com/gpu]: Unsupported value: "example.com/gpu": supported values: "cpu", '
        '"hugepages-", "memory"']),
    (f"{C}.resources", {"limits": {"hugepages-2Mi": "3Mi", "cpu": "1"}}, [
        f'{A}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of '
        "hugepages-2Mi",
        f'{A}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of '
        "hugepages-2Mi"]),
    (f"{C}.resources", {"claims": [{"name": "gpu"}, {"name": "gpu"}]}, [
        f'{A}.resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is '
        "empty",
        f'{A}.resources.claims[1]: Duplicate value: "gpu"',
        f'{A}.resources.claims[1]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is '
        "empty"]),
    ("spec", disk(volumeDevices=devices("/dev/a", "/dev/a")), [
        f'{A}.volumeDevices[1].name: Invalid value: "disk": must be unique',
        f'{A}.volumeDevices[1].devicePath: Invalid value: "/dev/a": must be unique']),
    ("spec", disk(volumeDevices=devices("/dev/a"), volumeMounts=[{"name": "tmp", "mountPath": "/dev/a"}]), [
        f'{A}.volumeMounts[0].mountPath: Invalid value: "/dev/a": must not already exist as a path in volumeDevices',
        f'{A}.volumeDevices[0].devicePath: Invalid value: "/dev/a": must not already exist as a path in '
        "volumeMounts"]),
    ("spec", disk(volumeMounts=[{"name": "tmp", "mountPath": "/t", "recursiveReadOnly": "Enabled"}]), [
        f"{A}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"]),
    ("spec", disk(volumeMounts=[{"name": "tmp", "mountPath": "/t", "recursiveReadOnly": "Some"}]), [
        f'{A}.volumeMounts.recursiveReadOnly: Unsupported value: "Some": supported values: "Disabled", "Enabled", '
        '"IfPossible"']),
    ("spec.volumes", [{"name": "s", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}},
                      {"name": "t", "persistentVolumeClaim": {"claimName": "web-s"}}], [
        'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "web-s": must not reference a PVC that gets '
        "created for an ephemeral volume"]),
    ("spec.initContainers", [{"name": "i", "image": "x", "resizePolicy": [
        {"resourceName": "cpu", "restartPolicy": "NotRequired"}]}], [
        'spec.initContainers[0].resizePolicy: Invalid value: [{"resourceName":"cpu","restartPolicy":"NotRequired"}]: '
        "must not be set for init containers"]),
    ("spec.resourceClaims", [{"name": "a", "resourceClaimName": "B"}], [
        'spec.resourceClaims[0].resourceClaimName: Invalid value: "B": a lowercase RFC 1123 subdomain must consist of '
        "lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
        "'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "messages"), BAD, ids=ids(BAD))
def test_refused(path: str, value: Any, messages: list[str]) -> None:
    _, errors = create(edited(pod(), path, value))
    assert errors == messages


def test_what_a_pod_with_limits_of_its_own_asks_for() -> None:
    limits = {"cpu": "2", "memory": "1Gi"}
    stored, errors = create(pod(resources={"limits": limits}, containers=[asking(cpu="500m")]))
    assert errors == []
    assert stored["spec"]["resources"] == {"limits": limits, "requests": {"cpu": "500m", "memory": "1Gi"}}


def test_what_containers_ask_for_together() -> None:
    side = asking(cpu="100m") | {"restartPolicy": "Always"}
    spec = {
        "initContainers": [asking(cpu="1"), side, asking(cpu="950m", memory="1Gi")],
        "containers": [asking(cpu="300m", memory="512Mi"), asking(memory="256Mi")],
    }
    assert container_requests(spec) == {"cpu": "1050m", "memory": "1Gi"}
    assert container_requests({"containers": [asking(memory="512Mi"), asking(memory="256Mi")]}) == {"memory": "768Mi"}


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
AT = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
ONE, OTHER = {"key": "zone", "operator": "In", "values": ["a"]}, {"key": "gpu", "operator": "Exists"}


def affinity(*terms: list[Object]) -> Object:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}}}


WAITING: list[tuple[Object | None, Object | None, list[str]]] = [
    (None, affinity([ONE]), []),
    (affinity([ONE]), affinity([ONE, OTHER]), []),
    (affinity([ONE]), affinity([OTHER, ONE]), [
        f'{AT}[0]: Invalid value: {{"matchExpressions":[{{"key":"gpu","operator":"Exists"}},{{"key":"zone",'
        '"operator":"In","values":["a"]}]}: only additions are allowed (no mutations or deletions)']),
    (affinity([ONE]), affinity([ONE], [OTHER]), [
        f'{AT}: Invalid value: [{{"matchExpressions":[{{"key":"zone","operator":"In","values":["a"]}}]}},'
        '{"matchExpressions":[{"key":"gpu","operator":"Exists"}]}]: no additions/deletions to non-empty '
        "NodeSelectorTerms list are allowed"]),
    (affinity([ONE]), None, [
        f"{AT}: Invalid value: []: no additions/deletions to non-empty NodeSelectorTerms list are allowed"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "now", "messages"), WAITING, ids=[str(n) for n in range(len(WAITING))])
def test_where_a_waiting_pod_may_be_told_to_run(before: Object | None, now: Object | None, messages: list[str]) -> None:
    gated = pod(schedulingGates=[{"name": "a/b"}], **({"affinity": before} if before else {}))
    old, errors = create(gated)
    assert errors == []
    _, errors = update(edited(old, "spec.affinity", now), old)
    assert errors == messages
