from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from kubectl.describe import describer
from kubectl.describe.common import event_age, print_events, toleration
from kubectl.describe.generic import words
from kubectl.describe.node import pod_resources
from kubectl.describe.service import ready_addresses
from kubectl.describe.writer import Writer
from kubectl.diagnosis import diagnose
from kubectl.session import Session

GOLDEN = Path(__file__).with_name("golden")
POD: dict[str, Any] = json.loads((GOLDEN / "pod.json").read_text())


class NoEvents:
    """A session that is not asked for events, and so needs no server."""

    show_events = False


def test_a_pod_is_described_as_by_kubectl() -> None:
    writer = Writer()
    describer("", "Pod")(cast(Session, NoEvents()), writer, POD)
    assert writer.text() == (GOLDEN / "pod.txt").read_text()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"operator": "Exists"}, "op=Exists"),
        (
            {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            "a:NoExecute op=Exists for 300s",
        ),
        ({"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}, "a=b:NoSchedule"),
    ],
)
def test_tolerations(value: dict[str, Any], text: str) -> None:
    assert toleration(value) == text


def test_events_stand_oldest_first_and_count_repeats() -> None:
    event = {"type": "Normal", "metadata": {}, "source": {"component": "kubelet"}}
    new = event | {"reason": "Pulled", "message": "new ", "firstTimestamp": "2020-01-02T00:00:00Z"}
    old = event | {"reason": "Created", "message": "old", "firstTimestamp": "2020-01-01T00:00:00Z"}
    writer = Writer()
    print_events(writer, [new, old])
    assert [line.split()[1] for line in writer.text().splitlines()[3:]] == ["Created", "Pulled"]
    repeated = new | {"count": 4, "lastTimestamp": "2020-01-02T00:00:00Z"}
    assert "(x4 over " in event_age(repeated)


def test_names_of_fields_become_words() -> None:
    assert [words(name) for name in ("holderIdentity", "podIP", "uid", "clusterIPs", "spec")] == [
        "Holder Identity",
        "Pod IP",
        "UID",
        "Cluster I Ps",
        "Spec",
    ]


def test_only_ready_addresses_are_shown_and_not_all_of_them() -> None:
    endpoints = [{"addresses": [f"10.0.0.{n}"], "conditions": {"ready": n != 2}} for n in range(1, 7)]
    slices = [{"ports": [{"name": "http", "port": 8080}], "endpoints": endpoints}]
    assert ready_addresses(slices, "http") == "10.0.0.1:8080,10.0.0.3:8080,10.0.0.4:8080 + 2 more..."
    assert ready_addresses(slices, "other") == ""
    assert ready_addresses([], "http") == "<none>"


def test_a_pods_requests_are_its_containers_sum_or_its_largest_init_container() -> None:
    def container(cpu: str) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu}}}

    pod = {"spec": {"containers": [container("100m"), container("200m")], "initContainers": [container("500m")]}}
    assert float(pod_resources(pod, "requests")["cpu"]) == 0.5
    assert pod_resources(pod, "limits") == {}


def pod(phase: str = "Pending", node: str = "n1", **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web-1"},
        "spec": {"containers": [{"name": "c", "image": "web:9"}], "nodeName": node},
        "status": {"phase": phase, **status},
    }


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    return {"name": "c", "ready": False, "state": {"waiting": {"reason": reason}}, **more}


READY = [{"type": "Ready", "status": "True"}]
UNSCHEDULABLE = [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}]


@pytest.mark.parametrize(
    ("found", "text", "hint"),
    [
        (
            pod(node="", conditions=UNSCHEDULABLE),
            "No node takes it: 0/1 nodes are available: 1 Insufficient cpu.",
            "requests",
        ),
        (pod(node=""), "It has no node: no scheduler has looked at it yet; it waits for default-scheduler.", "lease"),
        (pod(), "It is bound to node n1, whose kubelet has not started it yet.", "describe node n1"),
        (pod(containerStatuses=[waiting("ErrImagePull")]), "Container c waits: ErrImagePull.", "web:9"),
        (
            pod(
                containerStatuses=[
                    waiting(
                        "CrashLoopBackOff",
                        restartCount=3,
                        lastState={"terminated": {"exitCode": 1, "reason": "Error"}},
                    )
                ]
            ),
            "Container c waits: CrashLoopBackOff. Its last run ended with exit code 1 (Error); restarts so far: 3.",
            "pytheas logs web-1 -c c --previous",
        ),
        (
            pod(
                containerStatuses=[
                    waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})
                ]
            ),
            "Container c waits: CrashLoopBackOff. "
            "Its last run ended with exit code 137 (OOMKilled); restarts so far: 0.",
            "limits.memory",
        ),
        (
            pod("Running", containerStatuses=[{"name": "c", "ready": False, "state": {"running": {}}}]),
            "Container c runs but is not ready yet.",
            "",
        ),
        (pod("Failed", reason="Evicted"), "It has ended, Failed: Evicted; its restartPolicy is Always.", ""),
    ],
)
def test_why_a_pod_does_not_run(found: dict[str, Any], text: str, hint: str) -> None:
    first = diagnose(found)[0]
    assert first.text == text
    assert hint in first.hint


def test_a_pod_that_is_well_needs_no_reason() -> None:
    assert diagnose(pod("Running", conditions=READY)) == []


def test_a_failing_probe_is_named() -> None:
    found = pod("Running", containerStatuses=[{"name": "c", "ready": False, "state": {"running": {}}}])
    event = {
        "reason": "Unhealthy",
        "message": "Readiness probe failed: 503",
        "metadata": {},
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    assert "Container c runs but is not ready: Readiness probe failed: 503" in diagnose(found, [event])[0].text


def test_what_the_scheduler_said_before_it_found_a_node_is_no_reason_any_more() -> None:
    event = {"type": "Warning", "reason": "FailedScheduling", "message": "no room", "metadata": {}}
    started = pod(startTime="2026-01-01T00:00:00Z")
    assert diagnose(started, [event])[0].text == "Node n1 is making it: its containers are being created."
