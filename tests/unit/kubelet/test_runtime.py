"""The mirror of Docker's containers, and the back-off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubelet.lifecycle.backoff import LONGEST, following, ready_at
from kubelet.runtime.container import BACKOFF, NODE, POD_UID, Container, State, from_inspect, from_summary, seconds
from kubelet.runtime.inventory import Inventory

LABELS = {NODE: "n1", POD_UID: "u-1"}
CREATED = Container("c1", LABELS, State.CREATED, "app:1", "sha256:1", created_at=10.0)


def inventory(*containers: Container) -> tuple[Inventory, list[str]]:
    told: list[str] = []
    made = Inventory("n1", told.append)
    for each in containers:
        made.put(each)
    return made, told


def event(action: str, at: float, **attributes: str) -> dict[str, Any]:
    actor = {"ID": "c1", "Attributes": {**LABELS, **attributes}}
    return {"Type": "container", "Action": action, "Actor": actor, "timeNano": int(at * 1e9)}


def test_a_life_told_by_events() -> None:
    mirror, told = inventory(CREATED)
    assert mirror.apply(event("start", 11)) is None
    assert mirror.apply(event("die", 12, exitCode="0")) is None
    (found,) = mirror.pod("u-1")
    assert (found.state, found.started_at, found.finished_at, found.exit_code) == (State.EXITED, 11, 12, 0)
    mirror.apply(event("destroy", 13))
    assert mirror.pods() == []
    assert told == ["u-1"] * 4


def test_a_bad_end_is_inspected_and_so_is_a_stranger() -> None:
    mirror, _ = inventory(CREATED)
    assert mirror.apply(event("die", 12, exitCode="137")) == "c1"
    assert inventory()[0].apply(event("start", 12)) == "c1"
    assert inventory()[0].apply(event("create", 12)) is None
    foreign = {**event("start", 12), "Actor": {"ID": "x", "Attributes": {NODE: "n2"}}}
    assert mirror.apply(foreign) is None


def test_an_end_that_is_faster_than_the_start_calls_answer_stands() -> None:
    mirror, _ = inventory(CREATED)
    mirror.apply(event("start", 11.0))
    mirror.apply(event("die", 11.1, exitCode="0"))
    mirror.start_called("c1", 10.9)
    assert mirror.pod("u-1")[0].state is State.EXITED


def test_the_start_calls_answer_alone_makes_it_run() -> None:
    mirror, _ = inventory(CREATED)
    mirror.start_called("c1", 10.9)
    mirror.apply(event("die", 11.1, exitCode="0"))
    assert mirror.pod("u-1")[0].state is State.EXITED


def test_a_restart_by_hand_is_believed() -> None:
    mirror, _ = inventory(replace(CREATED, state=State.EXITED, started_at=11, finished_at=12, exit_code=1))
    mirror.apply(event("start", 20))
    assert mirror.pod("u-1")[0].state is State.RUNNING
    running = replace(CREATED, state=State.RUNNING, started_at=20)
    mirror, _ = inventory(replace(CREATED, state=State.EXITED, started_at=11, finished_at=12), running)
    assert mirror.pod("u-1")[0].state is State.RUNNING


news = st.sampled_from(
    [
        CREATED,
        replace(CREATED, state=State.RUNNING, started_at=11.0),
        replace(CREATED, state=State.EXITED, started_at=11.0, finished_at=12.0, exit_code=3),
    ]
)


@given(st.lists(news, min_size=1, max_size=6))
def test_news_in_any_order_end_in_the_latest_state(told: list[Container]) -> None:
    mirror, _ = inventory(*told)
    assert mirror.pod("u-1")[0].state == max(each.state for each in told)


def test_a_list_that_is_older_than_a_container_does_not_remove_it() -> None:
    mirror, _ = inventory(CREATED)
    mirror.keep_only([], known_before=[])
    assert mirror.get("c1") is not None
    mirror.keep_only([], known_before=["c1"])
    assert mirror.get("c1") is None


def test_other_nodes_containers_are_none_of_ours() -> None:
    mirror, told = inventory(replace(CREATED, labels={NODE: "n2", POD_UID: "u-1"}))
    assert mirror.all() == []
    assert told == []


def test_records_from_docker() -> None:
    assert seconds("2026-11-22T11:00:00.5Z") - seconds("2026-11-22T11:00:00Z") == 0.5
    assert seconds("0001-01-01T00:00:00Z") == 0
    body: dict[str, Any] = {
        "Id": "x",
        "Image": "sha256:1",
        "Created": "2026-11-22T11:00:00Z",
        "Config": {"Image": "app:1"},
    }
    ended = {"Status": "exited", "ExitCode": 137, "OOMKilled": True, "FinishedAt": "2026-11-22T11:00:09Z"}
    record = from_inspect({**body, "State": ended})
    assert (record.state, record.exit_code, record.oom_killed) == (State.EXITED, 137, True)
    failed = from_inspect({**body, "State": {"Status": "created", "ExitCode": 127, "Error": "no such program"}})
    assert (failed.state, failed.error) == (State.EXITED, "no such program")
    assert failed.started_at == failed.finished_at == record.created_at
    assert from_summary({"Id": "x", "State": "dead"}).state is State.EXITED


def ran(seconds: float, backoff: float) -> Container:
    labels = {**LABELS, BACKOFF: f"{backoff:g}"}
    return replace(CREATED, labels=labels, state=State.EXITED, started_at=100.0, finished_at=100.0 + seconds)


def test_backoff_doubles_to_its_longest() -> None:
    backoff, delays = 0.0, []
    for _ in range(8):
        ended = ran(1.0, backoff)
        delays.append(ready_at(ended, ended.finished_at) - ended.finished_at)
        backoff = following(ended)
    assert delays == [0, 10, 20, 40, 80, 160, 300, 300]
    assert [following(ran(1.0, each), longest=2.0) for each in (0.0, 2.0)] == [2.0, 2.0]


@given(st.floats(0, 2000), st.floats(0, LONGEST))
def test_backoff_never_exceeds_its_longest_and_forgets(seconds: float, backoff: float) -> None:
    ended = ran(seconds, backoff)
    waits = ready_at(ended, ended.finished_at) - ended.finished_at
    assert 0 <= waits <= LONGEST + 1e-6  # times are floats
    assert 0 < following(ended) <= LONGEST
    if seconds > 601:
        assert (waits, following(ended)) == (0.0, 10.0)


def test_a_clock_that_is_set_back_makes_nothing_wait() -> None:
    ended = ran(1.0, 160.0)
    assert ready_at(ended, ended.finished_at - 0.5) == ended.finished_at + 160.0
    assert ready_at(ended, ended.finished_at - 3600) == ended.finished_at - 3600


def test_an_end_before_the_start_is_looked_into() -> None:
    made, _ = inventory(replace(CREATED, state=State.RUNNING, started_at=20.0))
    assert made.apply(event("die", 15.0, exitCode="0")) == "c1"
    assert made.apply(event("die", 25.0, exitCode="0")) is None
    found = made.get("c1")
    assert found is not None
    assert found.state is State.EXITED
