"""Whatever comes and goes, in whatever order: no node is promised more than it has, and the arrays tell the truth."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from scheduler import requests
from scheduler.decide import decide
from scheduler.plugins import default_profile
from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from tests.unit.scheduler import build

NODES = [f"n{number}" for number in range(5)]
AMOUNTS = st.sampled_from(["0", "100m", "500m", "1", "1500m", "2"])
SIZES = st.sampled_from(["0", "64Mi", "1Gi", "3Gi"])


class Machine(RuleBasedStateMachine):
    """A plain model beside the snapshot: nodes with what they have, pods with where they are."""

    pods = Bundle("pods")

    def __init__(self) -> None:
        super().__init__()
        self.nodes = Snapshot(capacity=1)
        self.profile = default_profile()
        self.model: dict[str, dict[str, int]] = {}
        self.taints: dict[str, str] = {}
        self.placed: dict[str, tuple[PodInfo, str]] = {}
        self.shrunk: set[str] = set()
        self.number = 0

    @rule(
        name=st.sampled_from(NODES),
        cpu=AMOUNTS,
        memory=SIZES,
        pods=st.integers(0, 4),
        taints=st.sampled_from(["", "k=v:NoSchedule", "k=v:PreferNoSchedule", "k=w:NoExecute"]),
        labels=st.sampled_from(["", "zone=a", "zone=b"]),
        cordoned=st.sampled_from(["", "yes"]),
    )
    def set_node(self, name: str, cpu: str, memory: str, pods: int, taints: str, labels: str, cordoned: str) -> None:
        node = build.node(name, cpu=cpu, memory=memory, pods=str(pods), taints=taints, labels=labels, cordoned=cordoned)
        self.nodes.set_node(node)
        assert node.status is not None
        self.model[name] = requests.amounts(node.status.allocatable)
        self.shrunk.add(name)  # it may have less now than what is on it

    @rule(name=st.sampled_from(NODES))
    def drop_node(self, name: str) -> None:
        self.nodes.remove_node(name)
        self.model.pop(name, None)

    @rule(
        target=pods,
        cpu=AMOUNTS,
        memory=SIZES,
        gpu=st.sampled_from(["", "1"]),
        port=st.sampled_from(["", "80", "10.0.0.1@80", "80/UDP"]),
        tolerations=st.sampled_from(["", "*", "k=v"]),
        selector=st.sampled_from(["", "zone=a"]),
        owner=st.sampled_from(["", "one", "two"]),
        turn=st.integers(0, 100),
    )
    def schedule(
        self, cpu: str, memory: str, gpu: str, port: str, tolerations: str, selector: str, owner: str, turn: int
    ) -> str:
        self.number += 1
        words = {"cpu": cpu, "memory": memory, **({"example.com/gpu": gpu} if gpu else {})}
        wishes = {"ports": port, "tolerations": tolerations, "selector": selector, "owner": owner}
        info = build.pod(f"p{self.number}", **words, **wishes)
        decision = decide(info, self.nodes, self.profile, turn)
        assert decision == decide(info, self.nodes, self.profile, turn), "the same question has the same answer"
        if decision.node is None:
            assert decision.nodes == len(self.model)
            rejected = {name for rejection in decision.rejections for name in rejection.nodes}
            assert rejected == set(self.model), "every node was rejected, for a reason"
            return info.uid
        assert decision.node in self.model
        before = self.used(decision.node)
        for resource, number in [*info.requests, (requests.PODS, 1)]:
            if number:
                assert before[resource] + number <= self.model[decision.node].get(resource, 0), resource
        self.nodes.set_pod(info, decision.node)
        self.nodes.set_pod(info, decision.node)  # told twice is told once
        self.placed[info.uid] = (info, decision.node)
        return info.uid

    @rule(uid=consumes(pods))
    def drop_pod(self, uid: str) -> None:
        assert self.nodes.remove_pod(uid) == (uid in self.placed)
        assert not self.nodes.remove_pod(uid)
        self.placed.pop(uid, None)

    @rule(uid=pods, name=st.sampled_from(NODES))
    def found_elsewhere(self, uid: str, name: str) -> None:
        """Somebody else put it on a node, perhaps one we do not know."""
        if uid in self.placed:
            info = self.placed[uid][0]
            self.nodes.set_pod(info, name)
            self.placed[uid] = (info, name)
            self.shrunk.add(name)

    def used(self, node: str) -> Counter[str]:
        total: Counter[str] = Counter()
        for info, where in self.placed.values():
            if where == node:
                total.update(dict(info.requests))
                total[requests.PODS] += 1
        return total

    @invariant()
    def the_arrays_tell_the_truth(self) -> None:
        assert sorted(self.nodes.names) == sorted(self.model)
        assert int(np.count_nonzero(self.nodes.live)) == len(self.model)
        table = self.nodes.resources
        for name, allocatable in self.model.items():
            row = self.nodes.row(name)
            assert row is not None
            used = self.used(name)
            for resource, column in table.index.items():
                assert table.allocatable[column, row] == allocatable.get(resource, 0)
                assert table.free[column, row] == allocatable.get(resource, 0) - used[resource], (name, resource)
            groups = Counter(info.group for info, where in self.placed.values() if where == name and info.group)
            for group in ("rs-one", "rs-two"):
                counts = self.nodes.groups.of(group)
                assert (0 if counts is None else int(counts[row])) == groups[group]

    @invariant()
    def dead_rows_hold_nothing(self) -> None:
        for table in (self.nodes.resources.allocatable, self.nodes.resources.free, self.nodes.resources.compared):
            assert not table[:, ~self.nodes.live].any()


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSnapshot = Machine.TestCase
