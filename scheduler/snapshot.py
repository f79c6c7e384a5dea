"""The scheduler's picture of the cluster: what each node has, what is on it, what is promised to it.

It is changed in place as nodes and pods come and go, always completely between two decisions, so that a decision
needs no copy of it. A pod that was given a node, but of which the API server does not know yet, is in the picture
already: it is *assumed*, and put there or taken out like any other.
"""

from __future__ import annotations

import numpy as np

from scheduler import requests
from scheduler.objects import Node
from scheduler.podinfo import PodInfo, taints_of
from scheduler.tables import Groups, Labels, Mask, Ports, Resources, Taints

_FIRST_CAPACITY = 16


class Snapshot:
    """Arrays by row. `live` says which rows are nodes; the others hold nothing and fit nothing."""

    def __init__(self, capacity: int = _FIRST_CAPACITY) -> None:
        self._capacity = capacity
        self.live: Mask = np.zeros(capacity, np.bool_)
        self.unschedulable: Mask = np.zeros(capacity, np.bool_)
        self.cordoned = 0
        """How many nodes are unschedulable."""
        self.resources = Resources(capacity)
        self.labels = Labels(capacity)
        self.taints = Taints(capacity)
        self.ports = Ports()
        self.groups = Groups(capacity)
        self._rows: dict[str, int] = {}
        self._names: list[str] = [""] * capacity
        self._free_rows = list(range(capacity - 1, -1, -1))
        self._pods: dict[str, tuple[PodInfo, str]] = {}
        self._by_node: dict[str, dict[str, PodInfo]] = {}

    # -- nodes

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def names(self) -> list[str]:
        return list(self._rows)

    def name(self, row: int) -> str:
        return self._names[row]

    def row(self, name: str) -> int | None:
        return self._rows.get(name)

    def set_node(self, node: Node) -> bool:
        """Take a node in, or its new state. Returns whether it may now fit pods that it did not fit before."""
        name = (node.metadata.name if node.metadata else None) or ""
        row = self._rows.get(name)
        new = row is None
        if row is None:
            row = self._new_row(name)
        spec, status = node.spec, node.status
        labels = (node.metadata.labels if node.metadata else None) or {}
        allocatable = (status.allocatable or status.capacity) if status is not None else None
        unschedulable = bool(spec is not None and spec.unschedulable)
        changed = [
            self.resources.set_allocatable(row, requests.amounts(allocatable)),
            self.labels.set(row, name, labels),
            self.taints.set(row, taints_of(node)),
            self._cordon(row, unschedulable),
        ]
        if new:
            self.live[row] = True
            for info in self._by_node.get(name, {}).values():
                self._put(row, info, 1)
        return new or any(changed)

    def remove_node(self, name: str) -> None:
        """Pods that are said to be on it stay known, in case it comes back."""
        row = self._rows.pop(name, None)
        if row is None:
            return
        self.live[row] = False
        self._cordon(row, False)
        self.resources.clear(row)
        self.labels.clear(row, name)
        self.taints.set(row, ())
        self.ports.clear(row)
        self.groups.clear(row)
        self._names[row] = ""
        self._free_rows.append(row)

    def _cordon(self, row: int, unschedulable: bool) -> bool:
        old = bool(self.unschedulable[row])
        self.unschedulable[row] = unschedulable
        self.cordoned += unschedulable - old
        return old != unschedulable

    def _new_row(self, name: str) -> int:
        if not self._free_rows:
            self._grow(self._capacity * 2)
        row = self._free_rows.pop()
        self._rows[name] = row
        self._names[row] = name
        return row

    def _grow(self, capacity: int) -> None:
        for attribute in ("live", "unschedulable"):
            mask = np.zeros(capacity, np.bool_)
            mask[: self._capacity] = getattr(self, attribute)
            setattr(self, attribute, mask)
        for table in (self.resources, self.labels, self.taints, self.groups):
            table.grow(capacity)
        self._names += [""] * (capacity - self._capacity)
        self._free_rows = list(range(capacity - 1, self._capacity - 1, -1))
        self._capacity = capacity

    # -- pods

    def set_pod(self, info: PodInfo, node: str) -> None:
        """The pod is (or will be) on the node, which need not be known yet. Saying it again changes nothing."""
        known = self._pods.get(info.uid)
        if known is not None:
            if known[1] == node and known[0].requests == info.requests:
                return
            self.remove_pod(info.uid)
        self._pods[info.uid] = (info, node)
        self._by_node.setdefault(node, {})[info.uid] = info
        row = self._rows.get(node)
        if row is not None:
            self._put(row, info, 1)

    def remove_pod(self, uid: str) -> bool:
        """Returns whether the pod had been there."""
        known = self._pods.pop(uid, None)
        if known is None:
            return False
        info, node = known
        there = self._by_node[node]
        del there[uid]
        if not there:
            del self._by_node[node]
        row = self._rows.get(node)
        if row is not None:
            self._put(row, info, -1)
        return True

    def node_of(self, uid: str) -> str | None:
        known = self._pods.get(uid)
        return known[1] if known is not None else None

    def pods_on(self, node: str) -> list[PodInfo]:
        return list(self._by_node.get(node, {}).values())

    def pod_count(self) -> int:
        return len(self._pods)

    def _put(self, row: int, info: PodInfo, sign: int) -> None:
        self.resources.take(row, info.requests, info.compared, sign)
        self.groups.add(row, info.group, sign)
        if info.ports:
            if sign > 0:
                self.ports.take(row, info.ports)
            else:
                self.ports.free(row, info.ports)
