"""The Node's own words: labels, taints, conditions, events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.types import core_v1
from daemon.fatal import Fatal
from kubelet.node import events as node_events
from kubelet.node import status as node
from kubelet.node.machine import Machine
from kubelet.node.status import Health, Identity

MACHINE = Machine(2, 8 << 30, 100 << 30, "m", "u", "boot-1", "6.1.0", "Debian", "amd64", swap=1 << 30)
IDENTITY = Identity("n1", ("10.0.0.1",), engine_version="20.10", labels={"zone": "a"})
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def status(
    health: Health | None = None,
    before: core_v1.NodeStatus | None = None,
    machine: Machine = MACHINE,
    at: datetime = NOW,
) -> core_v1.NodeStatus:
    return node.status(IDENTITY, machine, health or Health(), [], before, at)


def said(before: core_v1.NodeStatus | None, after: core_v1.NodeStatus) -> list[str]:
    return [each.reason for each in node_events.changes("n1", before, after)]


def test_a_new_node_says_what_it_is() -> None:
    taints = node.taints(["dedicated=db:NoSchedule", "slow:PreferNoSchedule"])
    made = node.node(replace(IDENTITY, taints=taints), MACHINE)
    assert made.metadata is not None
    assert made.spec is not None
    assert made.metadata.labels is not None
    assert made.metadata.labels["kubernetes.io/arch"] == "amd64"
    assert made.metadata.labels["zone"] == "a"
    told = [(each.key, each.value, each.effect) for each in made.spec.taints or ()]
    assert told == [("dedicated", "db", "NoSchedule"), ("slow", None, "PreferNoSchedule")]
    assert "zone" not in node.default_labels(IDENTITY, MACHINE)


@pytest.mark.parametrize("text", ["", "a=b", "a=b:Never", "=b:NoSchedule"])
def test_what_is_no_taint_is_refused(text: str) -> None:
    with pytest.raises(Fatal, match="key=value:effect is wanted"):
        node.taints([text])


def test_the_status_tells_the_machine() -> None:
    told = status()
    assert told.nodeInfo is not None
    assert told.nodeInfo.containerRuntimeVersion == "docker://20.10"
    assert told.nodeInfo.swap is not None
    assert told.nodeInfo.swap.capacity == 1 << 30
    assert told.features is not None
    assert told.features.supplementalGroupsPolicy


def test_a_condition_keeps_its_time_until_it_changes() -> None:
    first, later = status(), NOW + timedelta(minutes=5)
    second = status(before=first, at=later)
    assert {each.lastTransitionTime for each in second.conditions or ()} == {NOW}
    assert {each.lastHeartbeatTime for each in second.conditions or ()} == {later}
    assert node.gist(first) == node.gist(second)
    third = status(Health(shutdown="node is shutting down"), second, at=later)
    ready = {each.type: each for each in third.conditions or ()}["Ready"]
    assert (ready.status, ready.reason, ready.message) == ("False", "KubeletNotReady", "node is shutting down")
    assert ready.lastTransitionTime == later


def test_several_problems_are_told_in_one_sentence() -> None:
    assert Health(runtime="gone", shutdown="node is shutting down").problem == (
        "[container runtime is down: gone, node is shutting down]"
    )


def test_events_tell_of_changes_only() -> None:
    first = status()
    fresh = ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady"]
    assert said(None, first) == fresh
    assert said(first, status(before=first)) == []
    short = status(Health(pressures=frozenset({"MemoryPressure"}), runtime="gone"), first)
    assert said(first, short) == ["NodeHasInsufficientMemory", "NodeNotReady"]


def test_a_boot_is_told() -> None:
    rebooted = replace(MACHINE, boot_id="boot-2")
    first = status()
    (told,) = node_events.changes("n1", first, status(before=first, machine=rebooted))
    assert told == ("Warning", "Rebooted", "Node n1 has been rebooted, boot id: boot-2")


def test_closing_a_node_is_told() -> None:
    opened, closed = core_v1.Node(spec=core_v1.NodeSpec()), core_v1.Node(spec=core_v1.NodeSpec(unschedulable=True))
    (told,) = node_events.schedulable("n1", opened, closed)
    assert told.message == "Node n1 status is now: NodeNotSchedulable"
    (told,) = node_events.schedulable("n1", closed, opened)
    assert told.reason == "NodeSchedulable"
    assert not list(node_events.schedulable("n1", None, closed))
    assert [each.reason for each in node_events.started()] == ["Starting", "NodeAllocatableEnforced"]
