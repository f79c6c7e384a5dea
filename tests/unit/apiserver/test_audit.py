"""The audit policy's rules, and a log that cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apiserver.audit.policy import PolicyError, read
from apiserver.audit.sink import Sink
from apiserver.auth.authorize import Attempt
from apiserver.auth.user import User

ALICE = User("alice", ("developers",))
GET_POD = Attempt("get", "pods", "", "default", "one")


def level(rule: dict[str, Any], attempt: Attempt, user: User = ALICE) -> str:
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Request", **rule}]}
    return read(policy).verdict(user, attempt).level.word


@pytest.mark.parametrize(
    ("rule", "attempt", "told"),
    [
        ({}, GET_POD, True),
        ({"users": ["bob"]}, GET_POD, False),
        ({"userGroups": ["developers"]}, GET_POD, True),
        ({"verbs": ["list"]}, GET_POD, False),
        ({"namespaces": ["default"]}, GET_POD, True),
        ({"namespaces": ["default"]}, Attempt("get", path="/version"), False),
        ({"resources": [{"group": ""}]}, GET_POD, True),
        ({"resources": [{"group": "apps"}]}, GET_POD, False),
        (
            {"resources": [{"group": "", "resources": ["pods"]}]},
            Attempt("get", "pods/log", "", "default", "one"),
            False,
        ),
        ({"resources": [{"group": "", "resources": ["pods/*"]}]}, Attempt("get", "pods/log", "", "default"), True),
        ({"resources": [{"group": "", "resources": ["*/log"]}]}, Attempt("get", "pods/log", "", "default"), True),
        ({"resources": [{"group": "", "resources": ["pods"], "resourceNames": ["two"]}]}, GET_POD, False),
        ({"nonResourceURLs": ["/health*"]}, Attempt("get", path="/healthz"), True),
        ({"nonResourceURLs": ["/health*"]}, GET_POD, False),
    ],
)
def test_which_requests_a_rule_is_for(rule: dict[str, Any], attempt: Attempt, told: bool) -> None:
    assert level(rule, attempt) == ("Request" if told else "None")


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"level": "Loud"}, "rules[0].level"),
        ({"omitStages": ["Later"]}, "rules[0].omitStages: 'Later'"),
        ({"nonResourceURLs": ["/x"], "namespaces": ["a"]}, "not for both"),
        ({"resources": [{"resourceNames": ["a"]}]}, "rules[0].resources[0].resourceNames"),
        ({"users": "alice"}, "rules[0].users: must be a list of strings"),
    ],
)
def test_a_rule_that_makes_no_sense_says_where(rule: dict[str, Any], problem: str) -> None:
    with pytest.raises(PolicyError) as refused:
        level(rule, GET_POD)
    assert problem in str(refused.value)


def test_a_full_disk_costs_lines_and_no_request() -> None:
    sink = Sink("/dev/full")
    for count in range(1, 4):
        sink.write(b'{"kind":"Event"}\n')
        assert sink.errors == count
    sink.close()


def test_the_log_is_rotated_and_its_files_are_private(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.log"
    sink = Sink(str(path), size_mb=1, backups=2)
    for _ in range(5):
        sink.write(b"x" * 600_000 + b"\n")
    sink.close()
    files = sorted(path.parent.iterdir())
    assert [each.name for each in files] == ["audit.log", "audit.log.1", "audit.log.2"]
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    assert sink.errors == 0
