"""What may be changed in a pod."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry.kind import Object
from tests.unit.registry.objects import pod
from tests.unit.registry.support import BY_KIND, create, edited, update, update_status

ONLY = (
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


@pytest.fixture
def stored() -> Object:
    made, errors = create(pod(activeDeadlineSeconds=60))
    assert errors == []
    return made


ALLOWED: list[tuple[str, Any]] = [
    ("spec.containers.0.image", "nginx:2"),
    ("spec.activeDeadlineSeconds", 30),
    ("metadata.labels", {"a": "b"}),
    ("spec.hostNetwork", False),
    ("spec.nodeSelector", {}),
]


@pytest.mark.parametrize(("path", "value"), ALLOWED)
def test_allowed(stored: Object, path: str, value: Any) -> None:
    _, errors = update(edited(stored, path, value), stored)
    assert errors == []


REFUSED: list[tuple[str, Any, str]] = [
    ("spec.restartPolicy", "Never", f'{ONLY}\n- spec.restartPolicy: "Always"\n+ spec.restartPolicy: "Never"'),
    ("spec.nodeName", "node-1", f'{ONLY}\n- spec.nodeName: null\n+ spec.nodeName: "node-1"'),
    (
        "spec.containers.0.name",
        "other",
        f'{ONLY}\n- spec.containers[0].name: "web"\n+ spec.containers[0].name: "other"',
    ),
    (
        "spec.automountServiceAccountToken",
        False,
        f"{ONLY}\n- spec.automountServiceAccountToken: null\n+ spec.automountServiceAccountToken: false",
    ),
    (
        "spec.activeDeadlineSeconds",
        90,
        "spec.activeDeadlineSeconds: Invalid value: 90: must be less than or equal to previous value",
    ),
    (
        "spec.containers",
        [{"name": "web", "image": "nginx:1"}, {"name": "more", "image": "x"}],
        "spec.containers: Forbidden: pod updates may not add or remove containers",
    ),
    (
        "spec.tolerations",
        [],
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
    ),
    (
        "spec.schedulingGates",
        [{"name": "a/b"}],
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a/b'",
    ),
    ("metadata.name", "other", 'metadata.name: Invalid value: "other": field is immutable'),
]


@pytest.mark.parametrize(("path", "value", "message"), REFUSED, ids=[path for path, _, _ in REFUSED])
def test_refused(stored: Object, path: str, value: Any, message: str) -> None:
    _, errors = update(edited(stored, path, value), stored)
    assert errors == [message]


def test_a_longer_toleration_and_one_more(stored: Object) -> None:
    tolerations = [{**each, "tolerationSeconds": 5} for each in stored["spec"]["tolerations"]]
    more = [*tolerations, {"key": "a", "operator": "Exists"}]
    _, errors = update(edited(stored, "spec.tolerations", more), stored)
    assert errors == []


def test_an_update_leaves_the_status_alone(stored: Object) -> None:
    new, _ = update(edited(stored, "status", {"phase": "Failed"}), stored)
    assert new["status"] == stored["status"]


def test_a_status_update_keeps_the_qos_class(stored: Object) -> None:
    new, errors = update_status({"phase": "Running"}, stored)
    assert errors == []
    assert new["status"] == {"phase": "Running", "qosClass": "BestEffort"}


def test_the_qos_class_does_not_change(stored: Object) -> None:
    _, errors = update_status({"phase": "Running", "qosClass": "Guaranteed"}, stored)
    assert errors == ['status.qosClass: Invalid value: "Guaranteed": field is immutable']


def test_what_has_ended_for_good_stays_ended() -> None:
    made, _ = create(pod(restartPolicy="Never"))
    ended = {"containerStatuses": [{"name": "web", "state": {"terminated": {"exitCode": 1}}}]}
    running = {"containerStatuses": [{"name": "web", "state": {"running": {}}}]}
    old = edited(made, "status", {**made["status"], **ended})
    _, errors = update_status({**made["status"], **running}, old)
    assert errors == ["status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"]


@pytest.mark.parametrize(
    ("rules", "code", "held"),
    [
        ([{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}], 42, False),
        ([{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}], 1, True),
        ([{"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [0]}}], 1, False),
        ([{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}], 1, False),
    ],
)
def test_what_a_rule_restarts_runs_again(rules: list[Object], code: int, held: bool) -> None:
    made, errors = create(edited(pod(restartPolicy="Never"), "spec.containers.0.restartPolicyRules", rules))
    assert errors == [
        "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used"
    ]
    made["spec"]["containers"][0]["restartPolicy"] = "Never"
    ended = {"containerStatuses": [{"name": "web", "state": {"terminated": {"exitCode": code}}}]}
    running = {"containerStatuses": [{"name": "web", "state": {"running": {}}}]}
    old = edited(made, "status", {**made["status"], **ended})
    assert bool(update_status({**made["status"], **running}, old)[1]) == held


GRACE: list[tuple[Object, Object, int | None, int]] = [
    ({}, {}, None, 0),
    ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, {"phase": "Running"}, None, 30),
    ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, {"phase": "Running"}, 5, 5),
    ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, {"phase": "Running"}, 0, 0),
    ({"nodeName": "n", "terminationGracePeriodSeconds": -1}, {"phase": "Running"}, None, 1),
    ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, {"phase": "Succeeded"}, None, 0),
]


@pytest.mark.parametrize(("spec", "status", "asked", "seconds"), GRACE)
def test_how_long_a_pod_has_to_stop(spec: Object, status: Object, asked: int | None, seconds: int) -> None:
    assert BY_KIND["Pod"].strategy.grace_period({"spec": spec, "status": status}, asked) == seconds
