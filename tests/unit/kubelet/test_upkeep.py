"""Deadlines, and whose words are whose in a status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from api.types import core_v1
from kubelet.lifecycle.states import FLIP_AFTER
from kubelet.lifecycle.upkeep import active_deadline, flip_time, with_foreign
from kubelet.lifecycle.view import Failure, View

BEGAN = datetime(2026, 11, 22, tzinfo=UTC)


def pod_of(status: dict[str, Any] | None = None, **spec: Any) -> core_v1.Pod:
    return msgspec.convert({"metadata": {}, "spec": {"containers": [], **spec}, "status": status}, core_v1.Pod)


def test_a_deadline_counts_from_the_start() -> None:
    assert active_deadline(pod_of(), 100.0) is None
    assert active_deadline(pod_of(activeDeadlineSeconds=5), 100.0) == 105.0
    started = pod_of({"startTime": BEGAN}, activeDeadlineSeconds=5)
    assert active_deadline(started, 100.0) == BEGAN.timestamp() + 5
    assert active_deadline(pod_of({"phase": "Succeeded"}, activeDeadlineSeconds=5), 100.0) is None


def test_the_wording_of_an_image_error_changes_once() -> None:
    failures = {
        "main": Failure("ErrImagePull", "", 100.0, 110.0),
        "other": Failure("CreateContainerError", "", 99.0, 0.0),
    }
    view = View(pod_of(), failures=failures)
    assert flip_time(view, 100.0) == 100.0 + FLIP_AFTER
    assert flip_time(view, 100.0 + FLIP_AFTER) is None


def test_others_conditions_are_kept_and_ours_are_ours() -> None:
    def status(**conditions: str) -> core_v1.PodStatus:
        return core_v1.PodStatus(conditions=[core_v1.PodCondition(value, kind) for kind, value in conditions.items()])

    merged = with_foreign(
        status(Ready="True", Custom="False"), status(Ready="False", Custom="True", PodScheduled="True")
    )
    told = {each.type: each.status for each in merged.conditions or ()}
    assert told == {"Ready": "True", "Custom": "True", "PodScheduled": "True"}


def test_a_pod_that_others_have_brought_to_its_end_stays_there() -> None:
    running = core_v1.PodStatus(phase="Running")
    merged = with_foreign(running, core_v1.PodStatus(phase="Failed", reason="NodeLost", message="it was away"))
    assert (merged.phase, merged.reason, merged.message) == ("Failed", "NodeLost", "it was away")
    assert with_foreign(running, core_v1.PodStatus(phase="Pending")).phase == "Running"
    succeeded = core_v1.PodStatus(phase="Succeeded")
    assert with_foreign(succeeded, core_v1.PodStatus(phase="Failed")).phase == "Succeeded"
