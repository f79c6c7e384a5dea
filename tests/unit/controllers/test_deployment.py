"""Deployments: templates, revisions, shares, conditions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from api.types import apps_v1
from controllers import objects
from controllers.deployment import conditions, limits, revisions, rollout
from controllers.deployment.scaling import round_half_away, scale
from controllers.deployment.status import check_again, status
from controllers.deployment.templates import canonical, new_replica_set, template_hash, template_of
from controllers.deployment.view import View, size
from tests.unit.controllers.make import NOW, deployment, replica_set, template


def counted(replicas: int, available: int | None = None, **rest: Any) -> apps_v1.ReplicaSetStatus:
    ready = replicas if available is None else available
    return apps_v1.ReplicaSetStatus(
        replicas=replicas, readyReplicas=ready or None, availableReplicas=ready or None, observedGeneration=1, **rest
    )


def view(owner: apps_v1.Deployment, *owned: apps_v1.ReplicaSet) -> View:
    return View.of(owner, owned)


def condition(found: apps_v1.DeploymentStatus, kind: str) -> tuple[str, str | None, str | None] | None:
    each = conditions.find(found.conditions, kind)
    return (each.status, each.reason, each.message) if each else None


# -- templates


def test_a_template_is_its_content() -> None:
    plain = template()
    hashed = template(labels={"app": "web", "pod-template-hash": "abc"})
    assert canonical(plain) == canonical(hashed)
    shuffled = template(labels={"app": "web", "tier": "x"})
    other = template(labels={"tier": "x", "app": "web"})
    assert canonical(shuffled) == canonical(other)
    assert canonical(plain) != canonical(template("app:2"))


def test_the_hash_is_a_label_and_differs_by_collisions() -> None:
    names = {template_hash(template(), collisions) for collisions in range(50)}
    assert len(names) == 50
    assert all(set(name) <= set("bcdfghjklmnpqrstvwxz2456789") for name in names)
    assert template_hash(template(), 0) == template_hash(template(), 0)


def test_a_new_replica_set() -> None:
    owner = deployment(minReadySeconds=5)
    made = new_replica_set(owner, 2, {"a": "b"})
    spec = made.spec
    assert spec is not None
    hashed = objects.labels(made)["pod-template-hash"]
    assert objects.name(made) == f"web-{hashed}"
    assert spec.selector.matchLabels == {"app": "web", "pod-template-hash": hashed}
    metadata = template_of(made).metadata
    assert metadata is not None
    assert metadata.labels == {"app": "web", "pod-template-hash": hashed}
    assert canonical(template_of(made)) == canonical(template_of(owner))
    assert (spec.replicas, spec.minReadySeconds) == (2, 5)
    assert objects.controller_uid(made) == objects.uid(owner)


# -- numbers


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (4, 0, 0, (0, 1)),
        (4, "0%", "10%", (0, 1)),
        (3, 1, 10, (1, 3)),
        (0, 1, 1, (1, 0)),
    ],
)
def test_limits(replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]) -> None:
    owner = deployment(replicas=replicas, surge=surge, unavailable=unavailable)
    assert (limits.max_surge(owner), limits.max_unavailable(owner)) == expected


def test_recreate_has_no_leeway() -> None:
    owner = deployment(recreate=True)
    assert (limits.max_surge(owner), limits.max_unavailable(owner)) == (0, 0)


@pytest.mark.parametrize(("dividend", "divisor", "rounded"), [(5, 2, 3), (7, 3, 2), (8, 3, 3), (0, 5, 0), (3, 2, 2)])
def test_rounding(dividend: int, divisor: int, rounded: int) -> None:
    assert round_half_away(dividend, divisor) == rounded


# -- shares of a changed size


def sized(image: str, replicas: int, desired: int, most: int, age: float) -> apps_v1.ReplicaSet:
    marks = {revisions.DESIRED: str(desired), revisions.MAXIMUM: str(most)}
    return replica_set(f"web-{image}", replicas=replicas, image=image, annotations=marks, age=age)


@pytest.mark.parametrize(
    ("sizes", "before", "after", "expected"),
    [
        ((5, 8), 10, 15, {"app:0": 7, "app:1": 11}),
        ((1, 1, 1), 3, 6, {"app:0": 2, "app:1": 2, "app:2": 2}),
        ((5, 5), 10, 5, {"app:0": 2, "app:1": 3}),
        ((10, 0), 10, 20, {"app:0": 20}),
        ((4, 6), 10, 0, {"app:0": 0, "app:1": 0}),
    ],
)
def test_shares(sizes: tuple[int, ...], before: int, after: int, expected: dict[str, int]) -> None:
    surge = max(0, sum(sizes) - before)
    owned = [
        sized(f"app:{index}", count, before, before + surge, age=100.0 - index) for index, count in enumerate(sizes)
    ]
    seen = view(deployment(replicas=after, image="app:0", surge=surge), *owned)
    assert {objects.name(item).removeprefix("web-"): to for item, to in scale(seen)} == expected


def test_a_finished_rollout_drops_what_is_left_of_the_old() -> None:
    current = sized("app:1", 3, 3, 4, age=10)
    current.status = counted(3)
    old = sized("app:0", 2, 5, 6, age=100)
    assert list(scale(view(deployment(replicas=3), current, old))) == [(old, 0)]


# -- revisions


def test_a_rollback_gets_a_new_revision_and_remembers_the_old() -> None:
    marks = {"kubernetes.io/change-cause": "undo", "x": "y", revisions.REVISION: "2"}
    owner = deployment(image="app:1", annotations=marks)
    first = replica_set("web-1", replicas=0, annotations={revisions.REVISION: "1", "x": "y"}, age=100)
    second = replica_set("web-2", replicas=3, image="app:2", annotations={revisions.REVISION: "2"})
    assert revisions.changes(owner, first, [second]) == {
        "kubernetes.io/change-cause": "undo",
        revisions.REVISION: "3",
        revisions.HISTORY: "1",
    }


def test_the_history_stays_short() -> None:
    history = ",".join(str(number) for number in range(100, 600))
    owner = deployment(image="app:1")
    first = replica_set("web-1", annotations={revisions.REVISION: "600", revisions.HISTORY: history})
    second = replica_set("web-2", image="app:2", annotations={revisions.REVISION: "601"})
    kept = revisions.changes(owner, first, [second])[revisions.HISTORY]
    assert len(kept) <= 2000
    assert kept.endswith(",599,600")


def test_kubectls_own_annotation_is_not_inherited() -> None:
    owner = deployment(annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "a"})
    assert revisions.initial(owner, []) == {
        "team": "a",
        revisions.REVISION: "1",
        revisions.DESIRED: "3",
        revisions.MAXIMUM: "4",
    }


# -- steps


def test_a_deployment_that_goes_does_nothing() -> None:
    assert rollout.decide(view(deployment(deletionTimestamp=NOW))) == []


def test_nothing_moves_before_every_replica_set_took_note() -> None:
    owner = deployment(replicas=3, image="app:2", surge=1, unavailable=1)
    marks = {revisions.REVISION: "2", **revisions.replica_annotations(owner)}
    current = replica_set("web-2", replicas=1, image="app:2", status=counted(1), annotations=marks)
    old = replica_set("web-1", replicas=2, age=100, status=counted(3), generation=2)
    assert rollout.decide(view(owner, current, old)) == []
    seen = msgspec.structs.replace(old, status=msgspec.structs.replace(counted(2), observedGeneration=2))
    assert len(rollout.decide(view(owner, current, seen))) == 1


def test_only_empty_history_is_removed() -> None:
    owner = deployment(image="app:9", replicas=1, revisionHistoryLimit=1)
    marks = {revisions.REVISION: "9", **revisions.replica_annotations(owner)}
    current = replica_set("web-9", replicas=1, image="app:9", status=counted(1), annotations=marks)
    old = [
        replica_set(
            f"web-{n}", replicas=0, image=f"app:{n}", status=counted(0), annotations={revisions.REVISION: str(n)}
        )
        for n in (1, 2, 3)
    ]
    old[0].status = counted(1)
    actions = rollout.decide(view(owner, current, *old))
    assert actions == []  # the rollout is not complete while an old pod is there
    old[0].status = counted(0)
    removed = [objects.name(each.replica_set) for each in rollout.decide(view(owner, current, *old))]
    assert removed == ["web-1", "web-2"]


# -- status


def test_a_new_deployment_is_not_available_but_progressing() -> None:
    found = status(view(deployment()), NOW, made="web-1")
    assert condition(found, "Available") == (
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
    )
    assert found.conditions is not None
    assert condition(found, "Progressing") is None  # no deadline is set


def test_progress_from_creation_to_completion() -> None:
    owner = deployment(progressDeadlineSeconds=600)
    found = status(view(owner), NOW, made="web-1")
    assert condition(found, "Progressing") == ("True", "NewReplicaSetCreated", 'Created new replica set "web-1"')
    owner.status = found
    current = replica_set("web-1", status=counted(3, available=1))
    later = NOW + timedelta(seconds=5)
    moving = status(view(owner, current), later)
    assert condition(moving, "Progressing") == ("True", "ReplicaSetUpdated", 'ReplicaSet "web-1" is progressing.')
    progressing = conditions.find(moving.conditions, "Progressing")
    assert progressing is not None
    assert (progressing.lastUpdateTime, progressing.lastTransitionTime) == (later, NOW)
    owner.status = moving
    current.status = counted(3)
    done = status(view(owner, current), later)
    text = 'ReplicaSet "web-1" has successfully progressed.'
    assert condition(done, "Progressing") == ("True", "NewReplicaSetAvailable", text)
    assert (done.replicas, done.updatedReplicas, done.availableReplicas, done.unavailableReplicas) == (3, 3, 3, None)
    owner.status = done
    assert status(view(owner, current), later + timedelta(days=1)) == done
    assert check_again(view(owner, current), done, later) is None


def test_a_stuck_rollout_is_told_when_time_is_up() -> None:
    owner = deployment(progressDeadlineSeconds=10)
    owner.status = status(view(owner), NOW, made="web-1")
    current = replica_set("web-1", status=counted(3, available=0))
    owner.status = status(view(owner, current), NOW)
    assert check_again(view(owner, current), owner.status, NOW) == 11
    assert status(view(owner, current), NOW + timedelta(seconds=9)) == owner.status
    stuck = status(view(owner, current), NOW + timedelta(seconds=11))
    text = 'ReplicaSet "web-1" has timed out progressing.'
    assert condition(stuck, "Progressing") == ("False", "ProgressDeadlineExceeded", text)
    owner.status = stuck
    assert check_again(view(owner, current), stuck, NOW) is None
    current.status = counted(3)
    assert condition(status(view(owner, current), NOW), "Progressing") == (
        "True",
        "NewReplicaSetAvailable",
        'ReplicaSet "web-1" has successfully progressed.',
    )


def test_pausing_stops_the_clock() -> None:
    owner = deployment(progressDeadlineSeconds=10, paused=True)
    found = status(view(owner), NOW)
    assert condition(found, "Progressing") == ("Unknown", "DeploymentPaused", "Deployment is paused")
    assert check_again(view(owner), found, NOW) is None
    owner.status = found
    assert owner.spec is not None
    owner.spec.paused = False
    found = status(view(owner), NOW)
    assert condition(found, "Progressing") == ("Unknown", "DeploymentResumed", "Deployment is resumed")


def test_a_replica_sets_failure_is_the_deployments() -> None:
    failed = apps_v1.ReplicaSetCondition(
        type="ReplicaFailure", status="True", reason="FailedCreate", message="quota", lastTransitionTime=NOW
    )
    current = replica_set("web-1", status=counted(0, conditions=[failed]))
    owner = deployment()
    owner.status = status(view(owner, current), NOW)
    assert condition(owner.status, "ReplicaFailure") == ("True", "FailedCreate", "quota")
    current.status = counted(3)
    assert condition(status(view(owner, current), NOW), "ReplicaFailure") is None


def test_a_replica_set_that_cannot_be_made() -> None:
    owner = deployment(progressDeadlineSeconds=600)
    found = status(view(owner), NOW, failure='Failed to create new replica set "web-1": no')
    assert condition(found, "Progressing") == (
        "False",
        "ReplicaSetCreateError",
        'Failed to create new replica set "web-1": no',
    )


def test_availability_allows_for_the_missing_ones() -> None:
    owner = deployment(replicas=4, unavailable=1)
    current = replica_set("web-1", replicas=4, status=counted(4, available=3))
    found = status(view(owner, current), NOW)
    assert condition(found, "Available") == ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    assert found.unavailableReplicas == 1


def test_the_oldest_of_equal_templates_is_the_present_one() -> None:
    owner = deployment()
    young, old = replica_set("young", age=1), replica_set("old", age=100)
    assert view(owner, young, old).current is old
    assert [size(each) for each in view(owner, young, old).all] == [3, 3]
