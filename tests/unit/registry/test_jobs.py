"""Jobs and CronJobs: what is refused, what may change, what their status may say, what their rows show."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry import indexes
from apiserver.registry.kind import Object
from tests.unit.registry.cases import Case, changed, ids, judged, refused
from tests.unit.registry.support import BY_KIND, NOW, create, edited

RULE = "spec.podFailurePolicy.rules[0]"
SUCCESS = "spec.successPolicy.rules[0]"
LESS = "must be greater than or equal to 0"

ONE: list[Case] = [
    ("spec.parallelism", -1, [f"spec.parallelism: Invalid value: -1: {LESS}"]),
    ("spec.ttlSecondsAfterFinished", -1, [f"spec.ttlSecondsAfterFinished: Invalid value: -1: {LESS}"]),
    ("spec.backoffLimitPerIndex", 1, [
        "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]),
    ("spec.maxFailedIndexes", 1, [
        "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode"]),
    ("spec.managedBy", "me", [
        'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")']),
    ("spec.managedBy", f"acme.io/{'x' * 60}", ["spec.managedBy: Too long: may not be more than 63 bytes"]),
    ("spec.completionMode", "Sometimes", [
        'spec.completionMode: Unsupported value: "Sometimes": supported values: "NonIndexed", "Indexed"']),
    ("spec.successPolicy", {"rules": []}, [
        'spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode']),
    ("spec.podReplacementPolicy", "Never", [
        'spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed"']),
    ("spec.template.spec.restartPolicy", None, [
        'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
    ("spec.template.spec.restartPolicy", "Always", [
        'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
    ("spec.template.metadata", {"labels": {"job-name": "other"}}, [
        'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"5f1e",'
        '"batch.kubernetes.io/job-name":"once","controller-uid":"5f1e","job-name":"other"}: must be \'once\'']),
    ("spec.selector", {"matchLabels": {"a": "b"}}, [
        'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"5f1e"}}: '
        "`selector` not auto-generated",
        'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"5f1e",'
        '"batch.kubernetes.io/job-name":"once","controller-uid":"5f1e","job-name":"once"}: `selector` does not match '
        "template `labels`"]),
    ("metadata.uid", None, ["metadata.uid: Required value"]),
]  # fmt: skip
INDEXED: list[Case] = [
    ("spec.parallelism", 100001, [
        "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is "
        "Indexed"]),
    ("spec.maxFailedIndexes", 6, [
        "spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions"]),
    ("spec.completions", 100001, [
        "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000"]),
    ("metadata.name", "m" * 62, [
        f'metadata.name: Invalid value: "{"m" * 62}": will not able to create pod with invalid DNS label: '
        f'{"m" * 62}-4']),
    ("spec.podReplacementPolicy", "TerminatingOrFailed", [
        'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"']),
    ("spec.template.spec.restartPolicy", "OnFailure", [
        'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when '
        "podFailurePolicy is specified"]),
    ("spec.podFailurePolicy.rules.0", {}, [
        f'{RULE}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
        f"{RULE}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"]),
    ("spec.podFailurePolicy.rules.0.action", "Explode", [
        f'{RULE}.action: Unsupported value: "Explode": supported values: "Count", "FailIndex", "FailJob", "Ignore"']),
    ("spec.podFailurePolicy.rules.0.onExitCodes", {"operator": "In", "values": [1]}, [
        f"{RULE}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported"]),
    ("spec.podFailurePolicy.rules.0",
     {"action": "Count", "onExitCodes": {"operator": "In", "values": [2, 0, 2], "containerName": "x"}}, [
        f'{RULE}.onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names '
        "in the pod template",
        f"{RULE}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
        f"{RULE}.onExitCodes.values[2]: Duplicate value: 2",
        f"{RULE}.onExitCodes.values: Invalid value: [2,0,2]: must be ordered"]),
    ("spec.podFailurePolicy.rules", [{"action": "Count", "onExitCodes": {"operator": "NotIn", "values": [0]}}] * 21, [
        "spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items"]),
    ("spec.successPolicy.rules", [], [
        "spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is "
        "specified"]),
    ("spec.successPolicy.rules.0", {}, [
        f"{SUCCESS}: Required value: at least one of succeededCount or succeededIndexes must be specified"]),
]  # fmt: skip
CRON: list[Case] = [
    ("spec.schedule", None, ["spec.schedule: Required value"]),
    ("spec.schedule", "61 * * * *", [
        'spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61']),
    ("spec.schedule", "CRON_TZ=UTC 0 * * * *", [
        'spec.schedule: Invalid value: "CRON_TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone '
        "field instead"]),
    ("spec.timeZone", "", ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']),
    ("spec.timeZone", "Europe/Atlantis", [
        'spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis']),
    ("spec.timeZone", "../etc", ['spec.timeZone: Invalid value: "../etc": unknown time zone ../etc']),
    ("spec.timeZone", "Local", [
        'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in '
        "https://www.iana.org/time-zones"]),
    ("spec.concurrencyPolicy", "Queue", [
        'spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"']),
    ("spec.startingDeadlineSeconds", -1, [f"spec.startingDeadlineSeconds: Invalid value: -1: {LESS}"]),
    ("spec.failedJobsHistoryLimit", -1, [f"spec.failedJobsHistoryLimit: Invalid value: -1: {LESS}"]),
    ("spec.jobTemplate.spec.selector", {}, [
        "spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated"]),
    ("spec.jobTemplate.spec.manualSelector", True, [
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"']),
    ("spec.jobTemplate.spec.template.spec.containers", [], [
        "spec.jobTemplate.spec.template.spec.containers: Required value"]),
    ("metadata.name", "c" * 53, [f'metadata.name: Invalid value: "{"c" * 53}": must be no more than 52 characters']),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "path", "value", "messages"),
    [("job", *case) for case in ONE] + [("job-indexed", *case) for case in INDEXED] + [("cronjob", *c) for c in CRON],
)
def test_refused(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert refused(name, path, value) == messages


def test_an_indexed_job_says_how_many() -> None:
    _, errors = create(edited(edited(_job(), "spec.completionMode", "Indexed"), "spec.parallelism", 1))
    assert errors == ["spec.completions: Required value: when completion mode is Indexed"]


def test_many_completions_are_warned_of() -> None:
    many = {"completions": 100001, "parallelism": 10001, "completionMode": "Indexed"}
    stored, _ = create(edited(_job(), "spec", {**_job()["spec"], **many}))
    assert "might not be able to track completedIndexes" in BY_KIND["Job"].strategy.warnings(stored)[0]


def _job(**status: Any) -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox:1"}]}
    meta = {"name": "once", "namespace": "default", "uid": "5f1e"}
    spec = {"template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec, "status": status}


CHANGES: list[tuple[str, Any, dict[str, Any], list[str]]] = [
    ("spec.parallelism", 0, {}, []),
    ("spec.suspend", True, {}, []),
    ("spec.completions", 2, {}, ["spec.completions: Invalid value: 2: field is immutable"]),
    ("spec.selector.matchLabels.a", "b", {}, [
        'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"5f1e"}}: '
        "field is immutable"]),
    ("spec.template.spec.nodeSelector", {"gpu": "yes"}, {}, ["spec.template"]),
    ("spec.template.spec.nodeSelector", {"gpu": "yes"}, {"spec__suspend": True}, []),
    ("spec.template.spec.nodeSelector", {"gpu": "yes"}, {"spec__suspend": True, "status__active": 1}, [
        "spec.template"]),
    ("spec.template.spec.tolerations", [{"operator": "Exists"}], {"spec__suspend": True}, []),
    ("spec.template.spec.affinity", {"nodeAffinity": {}}, {"spec__suspend": True}, []),
    ("spec.template.spec.containers.0.resources", {"requests": {"cpu": "1"}}, {"spec__suspend": True}, []),
    ("spec.template.spec.containers.0.image", "other", {"spec__suspend": True}, ["spec.template"]),
    ("spec.podFailurePolicy", {"rules": []}, {"spec__podReplacementPolicy": "Failed"}, ["spec.podFailurePolicy"]),
    ("spec.managedBy", "acme.io/x", {}, ['spec.managedBy: Invalid value: "acme.io/x": field is immutable']),
    ("spec.completions", 0, {}, ["spec.completions: Invalid value: 0: field is immutable"]),
    ("spec.completions", None, {"spec__completions": 0, "spec__parallelism": 2}, [
        'spec.completions: Invalid value: "null": field is immutable']),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "before", "messages"), CHANGES, ids=ids(CHANGES))
def test_changes(path: str, value: Any, before: dict[str, Any], messages: list[str]) -> None:
    found = changed("job", path, value, **before)
    assert len(found) >= len(messages)
    assert bool(found) == bool(messages)
    for message in messages:
        assert any(text.startswith(message) for text in found), found
    assert all(text.endswith(("field is immutable", "template `labels`", "not auto-generated")) for text in found)


def test_an_indexed_job_grows_with_its_parallelism() -> None:
    assert changed("job-indexed", "spec.completions", 7) == [
        "spec.completions: Invalid value: 7: can only be modified in tandem with spec.parallelism"
    ]
    assert changed("job-indexed", "spec", None) != []
    assert changed("job-indexed", "spec.completions", 7, spec__parallelism=7) == []


START, END = "2026-11-22T11:00:00Z", "2026-11-22T11:30:00Z"


def conditions(*types: str) -> list[Object]:
    return [{"type": each, "status": "True"} for each in types]


DONE = {"startTime": START, "completionTime": END, "succeeded": 1}
STATUSES: list[tuple[str, Object, Object, list[str]]] = [
    ("job", {**DONE, "conditions": conditions("Complete", "SuccessCriteriaMet")}, {}, []),
    ("job", {**DONE, "conditions": conditions("Complete")}, {}, [
        "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true "
        "condition"]),
    ("job", {"startTime": START, "conditions": conditions("Failed")}, {}, [
        "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition"]),
    ("job", {"startTime": END, "completionTime": START, "conditions": conditions("Complete", "SuccessCriteriaMet")},
     {}, [f'status.completionTime: Invalid value: "{START}": completionTime cannot be set before startTime']),
    ("job", {"active": 1, "conditions": conditions("Failed", "FailureTarget")}, {}, [
        "status.active: Invalid value: 1: active>0 is invalid for finished job",
        "status.startTime: Required value: startTime is required for finished job"]),
    ("job", {"active": 1, "ready": 2}, {}, [
        "status.ready: Invalid value: 2: cannot set more ready pods than active"]),
    ("job", {"succeeded": 1}, {"succeeded": 2}, [
        "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter"]),
    ("job", {}, {"startTime": START}, [
        "status.startTime: Required value: startTime cannot be removed for unsuspended job"]),
    ("job", {"conditions": []}, {"conditions": conditions("FailureTarget")}, [
        "status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition"]),
    ("job", {"completedIndexes": "1"}, {}, [
        'status.completedIndexes: Invalid value: "1": cannot set non-empty completedIndexes when non-indexed '
        "completion mode", 'status.completedIndexes: Invalid value: "1": error parsing completedIndexes: too large '
        'index: "1"']),
    ("job-indexed", {"completedIndexes": "0-2", "failedIndexes": "2,4"}, {}, [
        'status.failedIndexes: Invalid value: "2,4": failedIndexes and completedIndexes overlap at index: 2']),
    ("job-indexed", {"completedIndexes": "0-2", "failedIndexes": "4"}, {}, []),
    ("job", {"uncountedTerminatedPods": {"succeeded": ["a"], "failed": ["a", ""]}}, {}, [
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
        'status.uncountedTerminatedPods.failed[1]: Invalid value: "": must not be empty']),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "before", "messages"), STATUSES, ids=ids(STATUSES))
def test_statuses(name: str, status: Object, before: Object, messages: list[str]) -> None:
    assert judged(name, status, before) == messages


INDEXES = [
    ("1-2-3", 'the fragment "1-2-3" violates the requirement that an index interval can have at most two parts '
              "separated by '-'"),
    ("x", 'cannot convert string to integer for index: "x"'),
    ("1,1", "non-increasing order, previous: 1, current: 1"),
    ("3-2", "non-increasing order, previous: 3, current: 2"),
    ("9", 'too large index: "9"'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), INDEXES)
def test_indexes_that_are_none(text: str, why: str) -> None:
    with pytest.raises(indexes.IndexesError) as refused_:
        indexes.parse(text, 9)
    assert str(refused_.value) == why


def test_indexes() -> None:
    assert indexes.parse("", 9) == []
    assert indexes.parse("0,2-4,8", 9) == [(0, 0), (2, 4), (8, 8)]
    assert indexes.count("0,2-4,8", 9) == 5
    assert indexes.overlap("0,2-4", "1,5-6", 9) is None
    assert indexes.overlap("0,2-4", "1,4-6", 9) == 4


def test_a_cron_job_of_old_keeps_its_zone_in_the_schedule() -> None:
    old = {"spec__schedule": "TZ=UTC 0 * * * *"}
    assert changed("cronjob", "spec.schedule", "TZ=UTC 5 * * * *", **old, spec__timeZone=None) == []
    assert changed("cronjob", "spec.schedule", "TZ=UTC 5 * * * *", **old) == [
        'spec.schedule: Invalid value: "TZ=UTC 5 * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule'
    ]


def cells(obj: Object, count: int) -> list[Any]:
    return [column.cell(obj, NOW) for column in BY_KIND[obj["kind"]].columns[:count]]


ROWS: list[tuple[Object, Object, list[Any]]] = [
    ({"completions": 3}, {"succeeded": 1, "startTime": START}, ["Running", "1/3", "60m"]),
    ({"completions": 1}, {**DONE, "conditions": conditions("Complete")}, ["Complete", "1/1", "30m"]),
    ({"parallelism": 2}, {}, ["Running", "0/1 of 2", ""]),
    ({"parallelism": 1}, {"conditions": conditions("Suspended")}, ["Suspended", "0/1", ""]),
    ({}, {"conditions": conditions("FailureTarget")}, ["FailureTarget", "0/1", ""]),
    ({}, {"conditions": conditions("SuccessCriteriaMet", "Failed")}, ["Failed", "0/1", ""]),
]


@pytest.mark.parametrize(("spec", "status", "row"), ROWS, ids=[row[0] for *_, row in ROWS])
def test_rows(spec: Object, status: Object, row: list[Any]) -> None:
    assert cells({"kind": "Job", "metadata": {"name": "a"}, "spec": spec, "status": status}, 3) == row


def test_a_job_that_is_being_deleted() -> None:
    meta = {"name": "a", "deletionTimestamp": END}
    assert cells({"kind": "Job", "metadata": meta, "spec": {}}, 1) == ["Terminating"]


def test_a_cron_jobs_row() -> None:
    status = {"active": [{}, {}], "lastScheduleTime": END}
    one = {"kind": "CronJob", "metadata": {"name": "a"}, "spec": {"schedule": "@daily"}, "status": status}
    assert cells(one, 5) == ["@daily", "<none>", "<unset>", 2, "30m"]
