"""Which evictions a disruption budget allows, and in which words it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import StatusError
from apiserver.endpoints.subresources import disruption
from apiserver.registry.kind import Object

NOW = "2026-11-22T12:00:00Z"
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
READY = [{"type": "Ready", "status": "True"}]


def pod(phase: str = "Running", ready: bool = True, **meta: Any) -> Object:
    status = {"phase": phase, "conditions": READY if ready else []}
    return {"metadata": {"name": "one", "labels": {"app": "web"}, **meta}, "spec": {}, "status": status}


def budget(name: str = "web", selector: Any = None, policy: str | None = None, **status: Any) -> Object:
    spec: Object = {"selector": {"matchLabels": {"app": "web"}} if selector is None else selector}
    if policy:
        spec["unhealthyPodEvictionPolicy"] = policy
    full = {"observedGeneration": 1, "disruptionsAllowed": 1, "desiredHealthy": 2, "currentHealthy": 3, **status}
    return {"metadata": {"name": name, "generation": 1}, "spec": spec, "status": full}


@pytest.mark.parametrize(
    ("one", "free"),
    [
        (pod(), False),
        (pod("Pending"), True),
        (pod("Succeeded"), True),
        (pod("Failed"), True),
        (pod(deletionTimestamp=NOW), True),
    ],
)
def test_pods_that_no_budget_guards(one: Object, free: bool) -> None:
    assert disruption.unguarded(one) is free


def test_a_budget_is_found_by_its_selector() -> None:
    mine = budget()
    others = [
        budget("other", {"matchLabels": {"app": "db"}}),
        budget("broken", {"matchExpressions": [{"key": "a", "operator": "?"}]}),
    ]
    assert disruption.budget_of(pod(), [*others, mine]) is mine
    assert disruption.budget_of(pod(), others) is None
    assert disruption.budget_of(pod(), [budget("all", {})]) is not None


def test_two_budgets_are_one_too_many() -> None:
    with pytest.raises(StatusError) as refused:
        disruption.budget_of(pod(), [budget("a"), budget("b", {})])
    assert refused.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        "code": 500,
    }


@pytest.mark.parametrize(
    ("ready", "policy", "healthy", "wanted", "free"),
    [
        (True, None, 3, 2, False),
        (False, None, 3, 2, True),
        (False, None, 1, 2, False),
        (False, "IfHealthyBudget", 2, 2, True),
        (False, "IfHealthyBudget", 0, 0, False),
        (False, "AlwaysAllow", 0, 2, True),
        (True, "AlwaysAllow", 0, 2, False),
    ],
)
def test_pods_that_are_not_ready(ready: bool, policy: str | None, healthy: int, wanted: int, free: bool) -> None:
    of = budget(policy=policy, currentHealthy=healthy, desiredHealthy=wanted)
    assert disruption.costs_nothing(pod(ready=ready), of) is free


def test_a_disruption_is_taken_and_noted() -> None:
    of = budget(disruptionsAllowed=2, disruptedPods={"before": NOW})
    disruption.draw(of, "one", NOW)
    assert of["status"]["disruptionsAllowed"] == 1
    assert of["status"]["disruptedPods"] == {"before": NOW, "one": NOW}
    assert "conditions" not in of["status"]
    disruption.draw(of, "two", NOW)
    assert of["status"]["conditions"] == [
        {
            "type": "DisruptionAllowed",
            "status": "False",
            "observedGeneration": 1,
            "lastTransitionTime": NOW,
            "reason": "InsufficientPods",
            "message": "",
        }
    ]


SYNC_FAILED = [{"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed", "message": "no scale"}]
REFUSED = [
    (budget(observedGeneration=0), 429, "The disruption budget web is still being processed by the server.", 10),
    (budget(disruptionsAllowed=0), 429, "The disruption budget web needs 2 healthy pods and has 3 currently", None),
    (
        budget(disruptionsAllowed=0, conditions=SYNC_FAILED),
        429,
        "The disruption budget web does not allow evicting pods currently because it failed sync: no scale",
        None,
    ),
]


@pytest.mark.parametrize(("of", "code", "cause", "retry_after"), REFUSED)
def test_refused(of: Object, code: int, cause: str, retry_after: int | None) -> None:
    with pytest.raises(StatusError) as refused:
        disruption.draw(of, "one", NOW)
    error = refused.value
    assert (error.code, error.reason, error.message) == (code, "TooManyRequests", VIOLATES)
    assert error.details["causes"] == [{"reason": "DisruptionBudget", "message": cause}]
    assert error.details.get("retryAfterSeconds") == retry_after


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"disruptionsAllowed": -1}, "pdb disruptions allowed is negative"),
        (
            {"disruptedPods": dict.fromkeys(map(str, range(2001)), NOW)},
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        ),
    ],
)
def test_forbidden(status: dict[str, Any], why: str) -> None:
    with pytest.raises(StatusError) as refused:
        disruption.draw(budget(**status), "one", NOW)
    assert refused.value.message == f'poddisruptionbudget.policy "web" is forbidden: {why}'
