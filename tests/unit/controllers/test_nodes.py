"""Nodes: when they are lost, their taints, how fast they are given up, which pods leave, which range is theirs."""

from __future__ import annotations

import ipaddress
import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.taints import tolerates
from api.types import core_v1
from controllers.nodeipam import Pool
from controllers.nodelifecycle import health, taints, zones
from controllers.nodelifecycle.eviction import leaves_at
from controllers.podgc import Reason, surplus
from controllers.podgc import decide as removal
from tests.unit.controllers.make import NOW, node, pod

Taint = core_v1.Taint
Toleration = core_v1.Toleration

NOT_READY, UNREACHABLE = taints.NOT_READY, taints.UNREACHABLE


def shown(listed: list[Taint] | None) -> list[tuple[str, str]] | None:
    return None if listed is None else [(each.key.rpartition("/")[2], each.effect) for each in listed]


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


# -- lost


def test_silence_is_measured_from_the_last_word() -> None:
    assert health.lost_in(node(), ago(30), NOW, 40, 60) == 10
    assert health.lost_in(node(), ago(50), NOW, 40, 60) == -10
    assert health.lost_in(node(ready="", age=50), ago(100), NOW, 40, 60) == 10


def test_a_lost_node_is_unknown() -> None:
    one = node()
    one.status.conditions.append(core_v1.NodeCondition(type="NetworkUnavailable", status="False"))
    found = {each.type: each for each in health.lost(one, NOW) or ()}
    assert {name: each.status for name, each in found.items()} == {
        "Ready": "Unknown",
        "NetworkUnavailable": "False",
        "MemoryPressure": "Unknown",
        "DiskPressure": "Unknown",
        "PIDPressure": "Unknown",
    }
    assert (found["Ready"].reason, found["Ready"].message) == (
        "NodeStatusUnknown",
        "Kubelet stopped posting node status.",
    )
    assert found["MemoryPressure"].reason == "NodeStatusNeverUpdated"
    one.status.conditions = list(found.values())
    assert health.lost(one, NOW + timedelta(hours=1)) is None


# -- taints


@pytest.mark.parametrize(
    ("one", "evict", "expected"),
    [
        (node(), True, None),
        (node(ready="False"), True, [("not-ready", "NoSchedule"), ("not-ready", "NoExecute")]),
        (node(ready="Unknown"), True, [("unreachable", "NoSchedule"), ("unreachable", "NoExecute")]),
        (node(ready="Unknown"), False, [("unreachable", "NoSchedule")]),
        (node(taints=[Taint(key=NOT_READY, effect="NoSchedule")]), True, []),
        (node(ready="", taints=[Taint(key=NOT_READY, effect="NoSchedule")]), True, None),
        (node(unschedulable=True), True, [("unschedulable", "NoSchedule")]),
        (node(taints=[Taint(key="mine", effect="NoExecute")]), True, None),
        (
            node(
                ready="Unknown",
                taints=[Taint(key=NOT_READY, effect="NoExecute"), Taint(key="gpu", effect="NoSchedule")],
            ),
            True,
            [("gpu", "NoSchedule"), ("unreachable", "NoSchedule"), ("unreachable", "NoExecute")],
        ),
    ],
)
def test_taints(one: core_v1.Node, evict: bool, expected: list[tuple[str, str]] | None) -> None:
    assert shown(taints.decide(one, evict, NOW)) == expected


def test_pressure_keeps_new_pods_away() -> None:
    one = node()
    one.status.conditions.append(core_v1.NodeCondition(type="MemoryPressure", status="True"))
    found = taints.decide(one, True, NOW)
    assert shown(found) == [("memory-pressure", "NoSchedule")]
    one.spec.taints = found
    assert taints.decide(one, True, NOW) is None


# -- zones


@pytest.mark.parametrize(
    ("ready", "lost", "expected"),
    [
        (10, 0, zones.State.NORMAL),
        (0, 0, zones.State.NORMAL),
        (1, 2, zones.State.NORMAL),
        (2, 3, zones.State.PARTIAL),
        (0, 1, zones.State.FULL),
    ],
)
def test_zone_states(ready: int, lost: int, expected: zones.State) -> None:
    assert zones.state(ready, lost, 0.55) is expected


def nodes(ready: int, lost: int, zone: str = "a") -> list[Any]:
    where = {"topology.kubernetes.io/zone": zone}
    return [node(labels=where) for _ in range(ready)] + [node(ready="Unknown", labels=where) for _ in range(lost)]


def test_the_more_is_lost_the_slower_it_is_given_up() -> None:
    limits = zones.Limits()
    assert zones.rates(nodes(9, 1), limits) == {":a": 0.1}
    assert zones.rates(nodes(4, 6), limits) == {":a": 0.0}
    assert zones.rates(nodes(20, 40), limits) == {":a": 0.01}
    assert zones.rates(nodes(0, 3), limits) == {":a": 0.0}
    assert zones.rates([*nodes(0, 3, "a"), *nodes(3, 0, "b")], limits) == {":a": 0.1, ":b": 0.1}


def test_pace() -> None:
    pace = zones.Pace()
    assert pace.wait(0.1, 0) == 0
    pace.took(0)
    assert pace.wait(0.1, 4) == 6
    assert pace.wait(0, 100) == math.inf
    assert pace.wait(0.1, 11) == 0


# -- eviction


def lost_taint(seconds_ago: float = 0) -> Taint:
    return Taint(key=UNREACHABLE, effect="NoExecute", timeAdded=ago(seconds_ago))


def bearing(*tolerations: Toleration) -> core_v1.Pod:
    made = pod(age=10_000)
    assert made.spec is not None
    made.spec.tolerations = list(tolerations)
    return made


def test_how_long_a_pod_stays() -> None:
    taint = lost_taint(10)
    assert leaves_at(bearing(), [], NOW, 300) is None
    assert leaves_at(bearing(), [taint], NOW, 300) == NOW + timedelta(seconds=290)
    assert leaves_at(bearing(), [Taint(key="mine", effect="NoExecute", timeAdded=NOW)], NOW, 300) == NOW
    for_good = Toleration(key=UNREACHABLE, operator="Exists")
    assert leaves_at(bearing(for_good), [taint], NOW, 300) is None
    for_a_minute = Toleration(key=UNREACHABLE, operator="Exists", effect="NoExecute", tolerationSeconds=60)
    assert leaves_at(bearing(for_a_minute), [taint], NOW, 300) == NOW + timedelta(seconds=50)
    not_at_all = Toleration(key=UNREACHABLE, operator="Exists", tolerationSeconds=-5)
    assert leaves_at(bearing(not_at_all), [taint], NOW, 300) == ago(10)
    both = [taint, Taint(key="mine", effect="NoExecute", timeAdded=NOW)]
    assert leaves_at(bearing(for_a_minute), both, NOW, 300) == NOW


def test_an_old_taint_does_not_hurry_a_new_pod() -> None:
    made = pod(age=5)
    assert leaves_at(made, [lost_taint(1000)], NOW, 300) == NOW + timedelta(seconds=295)


@pytest.mark.parametrize(
    ("toleration", "answer"),
    [
        (Toleration(operator="Exists"), True),
        (Toleration(key="k", operator="Exists"), True),
        (Toleration(key="k", value="v"), True),
        (Toleration(key="k", operator="Equal", value="other"), False),
        (Toleration(key="other", operator="Exists"), False),
        (Toleration(key="k", value="v", effect="NoSchedule"), False),
        (Toleration(key="k", value="v", effect="NoExecute"), True),
    ],
)
def test_tolerating(toleration: Toleration, answer: bool) -> None:
    assert tolerates(toleration, Taint(key="k", value="v", effect="NoExecute")) is answer


# -- pods that nobody else removes


def test_whom_to_remove() -> None:
    away = node(ready="Unknown", taints=[Taint(key=taints.OUT_OF_SERVICE, effect="NoExecute")])
    assert removal(pod(), node()) is None
    assert removal(pod(), None) is Reason.ORPHANED
    assert removal(pod(node=""), None) is None
    assert removal(pod(node="", deleting=True), None) is Reason.UNSCHEDULED
    assert removal(pod(deleting=True), away) is Reason.OUT_OF_SERVICE
    assert removal(pod(), away) is None
    assert removal(pod(deleting=True), node()) is None


def test_ended_pods_beyond_the_threshold() -> None:
    ended = [pod(f"p{age}", phase="Succeeded", age=age) for age in (10, 40, 20, 30)]
    evicted = pod("evicted", phase="Failed", age=1)
    assert evicted.status is not None
    evicted.status.reason = "Evicted"
    found = [each.metadata.name for each in surplus([*ended, evicted], 3) if each.metadata]
    assert found == ["evicted", "p40"]
    assert surplus(ended, 0) == []
    assert surplus(ended, 4) == []


# -- ranges


def test_ranges_are_given_out_in_turn() -> None:
    pool = Pool("10.244.0.0/16", 24)
    assert pool.count == 256
    assert [pool.allocate(name) for name in ("a", "b")] == ["10.244.0.0/24", "10.244.1.0/24"]
    assert pool.allocate("a") == "10.244.0.0/24"
    pool.release("a")
    assert pool.allocate("c") == "10.244.2.0/24"


def test_what_is_in_use_is_not_given_out() -> None:
    pool = Pool("10.244.0.0/22", 24)
    assert pool.occupy("10.244.0.0/23", "big") is None
    assert pool.occupy("10.244.1.0/24", "late") == "big"
    assert pool.occupy("192.168.0.0/24", "elsewhere") is None
    assert [pool.allocate(name) for name in ("a", "b", "c")] == ["10.244.2.0/24", "10.244.3.0/24", None]
    pool.release("a")
    assert pool.allocate("c") == "10.244.2.0/24"


def test_sizes_must_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Pool("10.244.0.0/16", 12)
    assert Pool("fd00::/48", 64).allocate("a") == "fd00::/64"


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans())))
def test_no_two_nodes_ever_share_a_range(steps: list[tuple[int, bool]]) -> None:
    pool, held = Pool("10.0.0.0/24", 27), dict[str, str]()
    for number, gone in steps:
        name = f"n{number}"
        if gone:
            pool.release(name)
            held.pop(name, None)
        elif (given_out := pool.allocate(name)) is not None:
            held[name] = given_out
        else:
            assert len(held) == 8
    ranges = [ipaddress.ip_network(each) for each in held.values()]
    assert all(not a.overlaps(b) for index, a in enumerate(ranges) for b in ranges[:index])
