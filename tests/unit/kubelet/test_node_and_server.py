"""The Node object, probe thresholds, log queries, and who may use the HTTPS port."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import core_v1
from kubelet.logs.query import BadQuery, LogQuery, read_query
from kubelet.node import status as node
from kubelet.node.machine import Machine
from kubelet.probes.handler import BadPort, resolve_port
from kubelet.probes.thresholds import Rule, Tally

MACHINE = Machine(2, 8 << 30, 100 << 30, "m", "s", "b", "6.1", "Debian", "amd64")
WHO = node.Identity(
    "n1",
    ("192.0.2.1",),
    engine_version="20.10",
    capacity={"cpu": "2", "memory": "8Gi", "pods": "110"},
    allocatable={"cpu": "1900m", "memory": "7Gi", "pods": "110"},
)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def ready_of(status: core_v1.NodeStatus) -> core_v1.NodeCondition:
    return next(each for each in status.conditions or () if each.type == "Ready")


def test_a_healthy_node() -> None:
    status = node.status(WHO, MACHINE, node.Health(), [], None, NOW)
    assert (ready_of(status).status, ready_of(status).reason) == ("True", "KubeletReady")
    assert status.capacity is not None
    assert (status.capacity["cpu"], status.capacity["memory"], status.capacity["pods"]) == ("2", "8Gi", "110")
    assert status.allocatable is not None
    assert status.allocatable["cpu"] == "1900m"
    assert node.labels(WHO, MACHINE)["kubernetes.io/arch"] == "amd64"


def test_a_node_that_runs_short() -> None:
    status = node.status(WHO, MACHINE, node.Health(pressures=frozenset({"DiskPressure"})), [], None, NOW)
    told = {each.type: (each.status, each.reason) for each in status.conditions or ()}
    assert told["DiskPressure"] == ("True", "KubeletHasDiskPressure")
    assert told["MemoryPressure"] == ("False", "KubeletHasSufficientMemory")


def test_only_a_change_is_news() -> None:
    first = node.status(WHO, MACHINE, node.Health(), [], None, NOW)
    later = node.status(WHO, MACHINE, node.Health(), [], first, NOW + timedelta(minutes=1))
    assert node.gist(first) == node.gist(later)
    assert ready_of(later).lastTransitionTime == NOW
    sick = node.status(WHO, MACHINE, node.Health(network="no podCIDR"), [], later, NOW + timedelta(minutes=2))
    assert node.gist(sick) != node.gist(later)
    assert (ready_of(sick).status, ready_of(sick).reason) == ("False", "KubeletNotReady")
    assert "NetworkPluginNotReady" in (ready_of(sick).message or "")
    assert ready_of(sick).lastTransitionTime == NOW + timedelta(minutes=2)


def test_images_the_largest_first() -> None:
    listed: list[dict[str, object]] = [
        {"RepoTags": ["a:1"], "RepoDigests": None, "Size": 5},
        {"RepoTags": ["<none>:<none>"], "RepoDigests": [], "Size": 50},
        {"RepoTags": ["b:1"], "RepoDigests": ["b@sha256:1"], "Size": 9},
    ]
    assert [each.names for each in node.images(listed)] == [["b@sha256:1", "b:1"], ["a:1"]]


def test_thresholds() -> None:
    rule, tally = Rule(successes=2, failures=3), Tally(None)
    seen = []
    for ok in (True, True, False, False, True, False, False, False, True, True):
        tally = tally.take(ok, rule)
        seen.append(tally.verdict)
    assert seen == [None, True, True, True, True, True, True, False, False, True]


@given(st.lists(st.booleans(), min_size=1), st.integers(1, 4), st.integers(1, 4))
def test_a_verdict_follows_from_a_row_of_equal_answers(answers: list[bool], successes: int, failures: int) -> None:
    rule, tally, held = Rule(successes=successes, failures=failures), Tally(None), None
    for index, ok in enumerate(answers):
        tally = tally.take(ok, rule)
        need = successes if ok else failures
        row = answers[max(0, index + 1 - need) : index + 1]
        if len(row) == need and set(row) == {ok}:
            held = ok
        assert tally.verdict == held


def test_a_probes_numbers_have_defaults() -> None:
    assert Rule.of(core_v1.Probe()) == Rule(0, 10, 1, 1, 3)


def test_ports_by_name() -> None:
    container = core_v1.Container("main", ports=[core_v1.ContainerPort(8080, name="http")])
    assert (resolve_port(80, container), resolve_port("http", container), resolve_port("81", container)) == (
        80,
        8080,
        81,
    )
    with pytest.raises(BadPort, match='parsing "grpc": invalid syntax'):
        resolve_port("grpc", container)


def test_log_queries() -> None:
    assert read_query({}, 100.0) == LogQuery()
    given_ = {
        "follow": "true",
        "previous": "1",
        "timestamps": "true",
        "tailLines": "5",
        "sinceSeconds": "10",
        "limitBytes": "7",
    }
    assert read_query(given_, 100.0) == LogQuery(True, True, True, 5, "1970-01-01T00:01:30.000000000Z", 7)
    assert read_query({"sinceTime": "1970-01-01T00:01:00Z"}, 0).since == "1970-01-01T00:01:00.000000000Z"
    assert read_query({"stream": "Stderr"}, 0).stream == "Stderr"


@pytest.mark.parametrize("query", [{"tailLines": "-1"}, {"limitBytes": "0"}, {"sinceTime": "x"}, {"sinceSeconds": "a"}])
def test_log_queries_that_make_no_sense(query: dict[str, str]) -> None:
    with pytest.raises(BadQuery):
        read_query(query, 0.0)
