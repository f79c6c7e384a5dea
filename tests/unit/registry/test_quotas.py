"""ResourceQuotas, LimitRanges and PodDisruptionBudgets: refusals, changes, statuses, rows."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry.kind import Object
from tests.unit.registry.cases import Case, changed, ids, judged, refused
from tests.unit.registry.support import BY_KIND, NOW

LESS = "must be greater than or equal to 0"
HARD, SELECTOR = "spec.hard", "spec.scopeSelector.matchExpressions"


def quota(hard: dict[str, str], scopes: list[str] | None = None, requirement: Object | None = None) -> Object:
    spec: Object = {"hard": hard}
    if scopes:
        spec["scopes"] = scopes
    if requirement:
        spec["scopeSelector"] = {"matchExpressions": [requirement]}
    return spec


ONE = {"pods": "1"}
QUOTA: list[Case] = [
    ("spec.hard.pods", "-1", [f'{HARD}[pods]: Invalid value: "-1": {LESS}']),
    ("spec.hard.pods", "1500m", [f'{HARD}[pods]: Invalid value: "1500m": must be an integer']),
    ("spec", quota({"storage": "1Gi"}), [
        f'{HARD}[storage]: Invalid value: "storage": must be a standard resource for quota']),
    ("spec", quota({"bananas": "1"}), [
        f'{HARD}[bananas]: Invalid value: "bananas": must be a standard resource type or fully qualified',
        f'{HARD}[bananas]: Invalid value: "bananas": must be a standard resource for quota']),
    ("spec", quota(ONE, ["Sometimes"]), ['spec.scopes: Invalid value: ["Sometimes"]: unsupported scope']),
    ("spec", quota(ONE, ["BestEffort", "NotBestEffort"]), [
        'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes']),
    ("spec", quota({"cpu": "1"}, ["BestEffort"]), [
        'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource']),
    ("spec", quota(ONE, None, {"scopeName": "Terminating", "operator": "In", "values": ["x"]}), [
        f"{SELECTOR}.operator: Invalid value: \"In\": must be 'Exist' when scope is any of "
        "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
        "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"]),
    ("spec", quota(ONE, None, {"scopeName": "PriorityClass", "operator": "In"}), [
        f"{SELECTOR}.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope "
        "selector"]),
    ("spec", quota(ONE, None, {"scopeName": "PriorityClass", "operator": "Exists", "values": ["x"]}), [
        f"{SELECTOR}.values: Invalid value: [\"x\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for "
        "scope selector"]),
    ("spec", quota(ONE, None, {"scopeName": "PriorityClass", "operator": "Is"}), [
        f'{SELECTOR}.operator: Invalid value: "Is": not a valid selector operator']),
    ("spec", quota({"requests.storage": "1Gi"}, ["VolumeAttributesClass"]), []),
    ("spec", quota({"gold.storageclass.storage.k8s.io/requests.storage": "1Gi", "count/pods": "3"}), []),
]  # fmt: skip
LIMIT, CPU = "spec.limits[0]", "spec.limits.0"
LIMITS: list[Case] = [
    (f"{CPU}.type", "Node", [
        f'{LIMIT}.type: Invalid value: "Node": must be a standard limit type or fully qualified']),
    ("spec.limits.1.type", "Container", ['spec.limits[1].type: Duplicate value: "Container"']),
    ("spec.limits.1.default", {"cpu": "1"}, [
        "spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'"]),
    ("spec.limits.2.min", None, [
        "spec.limits[2].limits: Required value: either minimum or maximum storage value is required, but neither was "
        "provided"]),
    (f"{CPU}.min.cpu", "3", [
        f'{LIMIT}.min[cpu]: Invalid value: "3": min value 3 is greater than max value 2',
        f'{LIMIT}.defaultRequest[cpu]: Invalid value: "2": min value 3 is greater than default request value 2',
        f'{LIMIT}.default[cpu]: Invalid value: "3": min value 3 is greater than default value 2']),
    (f"{CPU}.default.memory", "2Gi", [
        f'{LIMIT}.defaultRequest[memory]: Invalid value: "2Gi": default request value 2Gi is greater than max value '
        "1Gi",
        f'{LIMIT}.default[memory]: Invalid value: "1Gi": default value 2Gi is greater than max value 1Gi']),
    (f"{CPU}.maxLimitRequestRatio", {"cpu": "0.5", "memory": "2"}, [
        f'{LIMIT}.maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1']),
    (f"{CPU}.maxLimitRequestRatio", {"cpu": "40"}, [
        f'{LIMIT}.maxLimitRequestRatio[cpu]: Invalid value: "40": ratio 40 is greater than max/min = 20.000000']),
    ("spec.limits.1.max.bananas", "1", [
        'spec.limits[1].max[bananas]: Invalid value: "bananas": must be a standard resource type or fully qualified',
        'spec.limits[1].max[bananas]: Invalid value: "bananas": must be a standard resource for containers']),
    (CPU, {"type": "Container", "default": {"example.com/gpu": "2"}, "defaultRequest": {"example.com/gpu": "1"}}, [
        f'{LIMIT}.defaultRequest[example.com/gpu]: Invalid value: "1": default value 2 must equal to defaultRequest '
        "value 1 in example.com/gpu"]),
]  # fmt: skip
BUDGET: list[Case] = [
    ("spec.minAvailable", 1, [
        'spec: Invalid value: {"maxUnavailable":"25%","minAvailable":1,"selector":{"matchLabels":{"app":"web"}}}: '
        "minAvailable and maxUnavailable cannot be both set"]),
    ("spec.maxUnavailable", -1, [f"spec.maxUnavailable: Invalid value: -1: {LESS}"]),
    ("spec.maxUnavailable", "110%", [
        'spec.maxUnavailable: Invalid value: "110%": must not be greater than 100%']),
    ("spec.selector", {"matchExpressions": [{"key": "a", "operator": "Is"}]}, [
        'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator']),
    ("spec.unhealthyPodEvictionPolicy", "Never", [
        'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", '
        '"IfHealthyBudget"']),
]  # fmt: skip
BAD = {"resourcequota": QUOTA, "limitrange": LIMITS, "poddisruptionbudget": BUDGET}


@pytest.mark.parametrize(
    ("name", "path", "value", "messages"), [(name, *case) for name, cases in BAD.items() for case in cases]
)
def test_refused(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert refused(name, path, value) == messages


def test_changes() -> None:
    assert changed("resourcequota", "spec.hard.pods", "20") == []
    assert changed("resourcequota", "spec.scopes", ["NotTerminating"], spec__hard={"pods": "1"}) == [
        'spec.scopes: Invalid value: ["NotTerminating"]: field is immutable'
    ]
    assert changed("poddisruptionbudget", "spec.selector", {}) == []
    assert changed("limitrange", "spec.limits", []) == []


CONDITION = {"type": "DisruptionAllowed", "status": "True", "reason": "Sufficient", "lastTransitionTime": "x"}
STATUSES: list[tuple[str, Object, list[str]]] = [
    ("resourcequota", {"hard": {"pods": "1"}, "used": {"pods": "-1"}}, [
        f'status.used[pods]: Invalid value: "-1": {LESS}']),
    ("poddisruptionbudget", {"currentHealthy": -1, "conditions": [CONDITION]}, [
        f"status.currentHealthy: Invalid value: -1: {LESS}"]),
    ("poddisruptionbudget", {"conditions": [CONDITION, CONDITION]}, [
        'status.conditions[1].type: Duplicate value: "DisruptionAllowed"']),
    ("poddisruptionbudget", {"conditions": [{"type": "A", "status": "Yes"}]}, [
        'status.conditions[0].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown"',
        "status.conditions[0].lastTransitionTime: Required value: must be set",
        "status.conditions[0].reason: Required value: must be set"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "messages"), STATUSES, ids=ids(STATUSES))
def test_statuses(name: str, status: Object, messages: list[str]) -> None:
    assert judged(name, status) == messages


ROWS: list[tuple[str, Object, list[Any]]] = [
    ("ResourceQuota", {"status": {
        "hard": {"pods": "10", "limits.cpu": "4", "requests.cpu": "2"}, "used": {"pods": "3", "limits.cpu": "1"}}},
        ["pods: 3/10, requests.cpu: 0/2", "limits.cpu: 1/4"]),
    ("LimitRange", {"metadata": {"name": "a", "creationTimestamp": "2026-11-22T11:00:00Z"}},
        ["a", "2026-11-22T11:00:00Z"]),
    ("PodDisruptionBudget", {"spec": {"minAvailable": 0}, "status": {"disruptionsAllowed": 2}}, ["0", "N/A", 2]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "obj", "row"), ROWS, ids=[row[0] for row in ROWS])
def test_rows(kind: str, obj: Object, row: list[Any]) -> None:
    assert [column.cell({"metadata": {"name": "a"}, **obj}, NOW) for column in BY_KIND[kind].columns] == row
