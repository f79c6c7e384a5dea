"""ReplicaSets: how many pods, which go first, what the status says."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import apps_v1, core_v1
from controllers import objects
from controllers.replicaset.decide import BURST, Create, Delete, batches, decide
from controllers.replicaset.ranking import rank
from controllers.replicaset.status import next_available, status
from tests.unit.controllers.make import NOW, pod, replica_set

DAY = 86_400.0


def names(ordered: list[core_v1.Pod]) -> list[str]:
    return [objects.name(each) for each in ordered]


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (pod("first", node=""), "not on a node yet"),
        (pod("first", phase="Pending"), "pending before running"),
        (pod("first", phase="Unknown"), "unknown before running"),
        (pod("first", ready=False), "not ready before ready"),
        (pod("first", annotations={"controller.kubernetes.io/pod-deletion-cost": "-1"}), "cheaper"),
        (pod("first", ready_for=1), "ready for a much shorter time"),
        (pod("first", restarts=3), "restarted more often"),
        (pod("first", age=10), "much younger"),
    ],
)
def test_each_reason_to_go_first(first: core_v1.Pod, why: str) -> None:
    other = pod("other", ready_for=DAY, age=DAY)
    if why == "much younger":
        other = pod("other", age=DAY)
    for order in ([first, other], [other, first]):
        assert names(rank(order, order, NOW)) == ["first", "other"], why


def test_reasons_are_weighed_in_order() -> None:
    cheap = {"controller.kubernetes.io/pod-deletion-cost": "-100"}
    ordered = [
        pod("unassigned", node="", annotations={"controller.kubernetes.io/pod-deletion-cost": "100"}),
        pod("pending", phase="Pending", ready=False),
        pod("unready", ready=False),
        pod("cheap", annotations=cheap, ready_for=DAY),
        pod("new", ready_for=2),
        pod("old", ready_for=DAY),
    ]
    assert names(rank(list(reversed(ordered)), [], NOW)) == [objects.name(each) for each in ordered]


def test_a_crowded_node_is_relieved_first() -> None:
    candidates = [pod("alone", node="n1", ready_for=1), pod("crowded", node="n2", ready_for=DAY)]
    related = [*candidates, pod("sibling", node="n2"), pod("done", node="n1", phase="Succeeded")]
    assert names(rank(candidates, related, NOW)) == ["crowded", "alone"]


def test_about_equal_ages_are_equal() -> None:
    """Ages are compared on a logarithmic scale: 10 and 11 hours are one class, and the uid decides."""
    old, young = pod("old", ready_for=40_000, uid="a"), pod("young", ready_for=36_000, uid="b")
    assert names(rank([young, old], [], NOW)) == ["old", "young"]


@given(st.integers(0, 2000))
def test_batches_double_and_add_up(count: int) -> None:
    sizes = list(batches(count))
    assert sum(sizes) == count
    assert all(now <= 2 * before for before, now in pairwise(sizes))
    assert sizes[:1] == ([1] if count else [])


@given(
    st.integers(0, 10),
    st.lists(st.sampled_from(["running", "ended", "failed", "leaving"]), max_size=15),
)
def test_just_what_is_missing_or_too_much(wanted: int, kinds: list[str]) -> None:
    made = {
        "running": lambda: pod(),
        "ended": lambda: pod(phase="Succeeded"),
        "failed": lambda: pod(phase="Failed"),
        "leaving": lambda: pod(deleting=True),
    }
    owned = [made[kind]() for kind in kinds]
    running = kinds.count("running")
    action = decide(replica_set(replicas=wanted), owned, owned, NOW)
    if running < wanted:
        assert action == Create(wanted - running)
    elif running > wanted:
        assert isinstance(action, Delete)
        assert len({objects.uid(each) for each in action.pods}) == running - wanted
        assert all(each.status and each.status.phase == "Running" for each in action.pods)
        assert not any(objects.deleting(each) for each in action.pods)
    else:
        assert action is None


def test_not_more_than_a_burst_at_once() -> None:
    assert decide(replica_set(replicas=BURST + 100), [], [], NOW) == Create(BURST)


def test_a_doubtful_deletion_is_done_again() -> None:
    """Whichever pod it was: deleting another would be one too many."""
    doubtful = pod("doubtful", ready_for=DAY, age=DAY)
    owned = [pod("a", ready=False), doubtful, pod("b")]
    action = decide(replica_set(replicas=2), owned, owned, NOW, {objects.uid(doubtful)})
    assert action == Delete((doubtful,))


def test_status_counts() -> None:
    owner = replica_set(replicas=5, min_ready_seconds=30, generation=7)
    full = dict(owner.spec.template.metadata.labels)  # type: ignore[union-attr,arg-type]
    owned = [
        pod(labels=full, ready_for=60),
        pod(labels=full, ready_for=10),
        pod(labels=full, ready=False),
        pod(labels={"app": "web"}, ready_for=60),
        pod(labels=full, deleting=True),
        pod(labels=full, phase="Failed"),
    ]
    assert status(owner, owned, None, NOW) == apps_v1.ReplicaSetStatus(
        replicas=4,
        fullyLabeledReplicas=3,
        readyReplicas=3,
        availableReplicas=2,
        terminatingReplicas=1,
        observedGeneration=7,
    )
    assert next_available(owner, owned, NOW) == 20


def test_zeros_are_absent() -> None:
    assert status(replica_set(), [], None, NOW) == apps_v1.ReplicaSetStatus(
        replicas=0, terminatingReplicas=0, observedGeneration=1
    )


def test_a_failure_is_told_and_forgotten() -> None:
    owner = replica_set(replicas=3)
    failed = status(owner, [], "quota", NOW)
    (condition,) = failed.conditions or []
    assert (condition.type, condition.status, condition.reason, condition.message) == (
        "ReplicaFailure",
        "True",
        "FailedCreate",
        "quota",
    )
    later = NOW + timedelta(seconds=9)
    owner.status = failed
    assert status(owner, [], "quota", later).conditions == [condition]
    assert status(owner, [], None, later).conditions is None


def test_only_a_complete_view_is_of_this_generation() -> None:
    owner = replica_set(generation=2, status=apps_v1.ReplicaSetStatus(replicas=0, observedGeneration=1))
    assert status(owner, [], None, NOW, complete=False).observedGeneration == 1
    assert status(owner, [], None, NOW).observedGeneration == 2
