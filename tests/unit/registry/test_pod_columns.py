"""A pod in one word."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry.columns import human_duration, table_columns
from apiserver.registry.kind import Object
from apiserver.registry.pod_columns import summary
from tests.unit.registry.support import BY_KIND, NOW


def waiting(reason: str) -> Object:
    return {"state": {"waiting": {"reason": reason}}}


def ended(code: int, reason: str = "", **more: Any) -> Object:
    return {"state": {"terminated": {"exitCode": code, "reason": reason, **more}}}


def running(*, ready: bool = True, **more: Any) -> Object:
    return {"state": {"running": {}}, "ready": ready, **more}


READY = [{"type": "Ready", "status": "True"}]
INITIALIZED = [{"type": "Initialized", "status": "True"}]
CRASHED = {"lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-22T11:59:55Z"}}}

# containers, init containers, status, deleted -> ready, word, restarts
CASES: list[tuple[str, int, list[Object], Object, bool, str, str, str]] = [
    ("new", 1, [], {"phase": "Pending"}, False, "0/1", "Pending", "0"),
    ("creating", 1, [], {"phase": "Pending", "containerStatuses": [waiting("ContainerCreating")]}, False,
     "0/1", "ContainerCreating", "0"),
    ("running", 2, [], {"phase": "Running", "containerStatuses": [running(), running(ready=False)]}, False,
     "1/2", "Running", "0"),
    ("crash loop", 1, [], {"phase": "Running", "containerStatuses": [
        {**waiting("CrashLoopBackOff"), "restartCount": 3, **CRASHED}]}, False,
     "0/1", "CrashLoopBackOff", "3 (5s ago)"),
    ("pull", 1, [], {"phase": "Pending", "containerStatuses": [waiting("ErrImagePull")]}, False,
     "0/1", "ErrImagePull", "0"),
    ("completed", 1, [], {"phase": "Succeeded", "containerStatuses": [ended(0, "Completed")]}, False,
     "0/1", "Completed", "0"),
    ("error", 1, [], {"phase": "Failed", "containerStatuses": [ended(1, "Error")]}, False, "0/1", "Error", "0"),
    ("no reason", 1, [], {"phase": "Failed", "containerStatuses": [ended(3)]}, False, "0/1", "ExitCode:3", "0"),
    ("a signal", 1, [], {"phase": "Failed", "containerStatuses": [ended(137, "", signal=9)]}, False,
     "0/1", "Signal:9", "0"),
    ("one of two done", 2, [], {"phase": "Running", "conditions": READY, "containerStatuses": [
        ended(0, "Completed"), running()]}, False, "1/2", "Running", "0"),
    ("one of two done, not ready", 2, [], {"phase": "Running", "containerStatuses": [
        ended(0, "Completed"), running()]}, False, "1/2", "NotReady", "0"),
    ("init runs", 1, [{"name": "a"}, {"name": "b"}], {"phase": "Pending", "initContainerStatuses": [
        {"name": "a", **ended(0, "Completed")}, {"name": "b", **running(ready=False)}]}, False, "0/1", "Init:1/2", "0"),
    ("init fails", 1, [{"name": "a"}], {"phase": "Pending", "initContainerStatuses": [
        {"name": "a", **ended(1, "Error"), "restartCount": 2}]}, False, "0/1", "Init:Error", "2"),
    ("init fails without a reason", 1, [{"name": "a"}], {"phase": "Pending", "initContainerStatuses": [
        {"name": "a", **ended(2)}]}, False, "0/1", "Init:ExitCode:2", "0"),
    ("init waits", 1, [{"name": "a"}], {"phase": "Pending", "initContainerStatuses": [
        {"name": "a", **waiting("ImagePullBackOff")}]}, False, "0/1", "Init:ImagePullBackOff", "0"),
    ("init about to start", 1, [{"name": "a"}], {"phase": "Pending", "initContainerStatuses": [
        {"name": "a", **waiting("PodInitializing")}]}, False, "0/1", "Init:0/1", "0"),
    ("a sidecar", 1, [{"name": "a", "restartPolicy": "Always"}], {"phase": "Running", "conditions": INITIALIZED,
     "initContainerStatuses": [{"name": "a", "started": True, **running(), "restartCount": 1}],
     "containerStatuses": [running()]}, False, "2/2", "Running", "1"),
    ("going", 1, [], {"phase": "Running", "containerStatuses": [running()]}, True, "1/1", "Terminating", "0"),
    ("gone", 1, [], {"phase": "Failed", "containerStatuses": [ended(1, "Error")]}, True, "0/1", "Error", "0"),
    ("lost", 1, [], {"phase": "Running", "reason": "NodeLost", "containerStatuses": [running()]}, True,
     "1/1", "Unknown", "0"),
    ("evicted", 1, [], {"phase": "Failed", "reason": "Evicted"}, False, "0/1", "Evicted", "0"),
    ("gated", 1, [], {"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}, False,
     "0/1", "SchedulingGated", "0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("total", "init", "status", "deleted", "ready", "word", "restarts"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_summary(
    total: int, init: list[Object], status: Object, deleted: bool, ready: str, word: str, restarts: str
) -> None:
    pod = {
        "metadata": {"name": "p", **({"deletionTimestamp": "2026-11-22T12:00:00Z"} if deleted else {})},
        "spec": {"containers": [{"name": str(number)} for number in range(total)], "initContainers": init},
        "status": status,
    }
    result = summary(pod)
    assert (f"{result.ready}/{result.total}", result.reason, result.restarts.text(NOW)) == (ready, word, restarts)


AGES = [
    (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (121, "2m1s"), (599, "9m59s"), (600, "10m"),
    (3 * 3600 - 1, "179m"), (3 * 3600, "3h"), (3 * 3600 + 60, "3h1m"), (8 * 3600, "8h"), (48 * 3600 - 1, "47h"),
    (48 * 3600, "2d"), (49 * 3600, "2d1h"), (8 * 86400, "8d"), (729 * 86400, "729d"), (730 * 86400, "2y"),
    (731 * 86400, "2y1d"), (8 * 365 * 86400, "8y"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), AGES)
def test_ages(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


# kind, the columns of `get`, what `-o wide` adds
TABLES = [
    ("Pod", "Name Ready Status Restarts Age", "IP,Node,Nominated Node,Readiness Gates"),
    ("Node", "Name Status Roles Age Version", "Internal-IP,External-IP,OS-Image,Kernel-Version,Container-Runtime"),
    ("Service", "Name Type Cluster-IP External-IP Port(s) Age", "Selector"),
    ("Deployment", "Name Ready Up-to-date Available Age", "Containers,Images,Selector"),
    ("ReplicaSet", "Name Desired Current Ready Age", "Containers,Images,Selector"),
    ("Namespace", "Name Status Age", ""),
    ("ConfigMap", "Name Data Age", ""),
    ("Secret", "Name Type Data Age", ""),
    ("ServiceAccount", "Name Secrets Age", ""),
    ("Endpoints", "Name Endpoints Age", ""),
    ("EndpointSlice", "Name AddressType Ports Endpoints Age", ""),
    ("Lease", "Name Holder Age", ""),
    ("ControllerRevision", "Name Controller Revision Age", ""),
]


@pytest.mark.parametrize(("kind", "narrow", "wide"), TABLES)
def test_columns(kind: str, narrow: str, wide: str) -> None:
    columns = table_columns(BY_KIND[kind])
    assert " ".join(column.name for column in columns if not column.priority) == narrow
    assert ",".join(column.name for column in columns if column.priority) == wide
