"""Match conditions: what holds, what does not, and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.admission.conditions import ConditionFailed, Conditions, problem_of
from apiserver.admission.webhooks.configuration import Hook


def conditions(*expressions: str, ignore_failure: bool = False) -> Conditions:
    items = [{"name": str(index), "expression": expression} for index, expression in enumerate(expressions)]
    return Conditions.of(items, ignore_failure=ignore_failure)


def met(asked: Conditions, **request: Any) -> bool:
    return asked.met({"object": {"a": 1}, "oldObject": None, "operation": "CREATE", **request}, None)


def test_all_must_hold() -> None:
    assert met(conditions("object.a == 1", "oldObject == null", "request.operation == 'CREATE'"))
    assert not met(conditions("object.a == 1", "request.operation == 'DELETE'"))


def test_a_failure_counts_only_when_nothing_is_false() -> None:
    assert not met(conditions("object.b == 1", "object.a == 2"))
    with pytest.raises(ConditionFailed, match="resulted in error: no such key: b"):
        met(conditions("object.b == 1", "object.a == 1"))
    assert not met(conditions("object.b == 1", ignore_failure=True))


def test_what_does_not_compile_is_said() -> None:
    assert problem_of("object.a == 1") == ""
    assert problem_of("object.a ==").startswith("compilation failed: ")
    assert "must evaluate to bool" in problem_of("1 + 1")


def test_a_stored_condition_that_compiles_no_more_fails_the_request() -> None:
    spec = {
        "name": "a.b.c",
        "clientConfig": {"url": "https://x/"},
        "admissionReviewVersions": ["v1"],
        "matchConditions": [{"name": "x", "expression": "1 +"}],
    }
    hook = Hook.of(spec, "one", 0)
    assert hook.conditions
    with pytest.raises(ConditionFailed, match="compilation failed"):
        met(hook.conditions)
    assert not met(Hook.of({**spec, "failurePolicy": "Ignore"}, "one", 0).conditions)
