"""The columns of the scheduler's picture of the cluster: numpy arrays with one entry a node, changed in place.

Each table knows its own rows only by number; `snapshot` says which node a row is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from scheduler.podinfo import Expression, HostPort, NodeWish, Taint, Term, Toleration
from scheduler.requests import CPU, MEMORY, PODS, STORAGE

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

BASIC = (CPU, MEMORY, STORAGE, PODS)


class Resources:
    """How much of each resource a node has and how much is left: one row a *resource*, so that a row is contiguous."""

    def __init__(self, capacity: int) -> None:
        self.index = {name: number for number, name in enumerate(BASIC)}
        self.allocatable: Ints = np.zeros((len(BASIC), capacity), np.int64)
        self.free: Ints = np.zeros((len(BASIC), capacity), np.int64)
        self.compared: Ints = np.zeros((2, capacity), np.int64)
        """CPU and memory that the pods there count for in scores."""
        self.share: Floats = np.zeros((2, capacity), np.float64)
        """100 / allocatable CPU and memory, 0 where there is none: spares the scores a division."""

    def column(self, resource: str) -> int:
        """The number of a resource; one not seen before gets one, and no node has any of it."""
        number = self.index.get(resource)
        if number is None:
            number = self.index[resource] = len(self.index)
            blank = np.zeros((1, self.free.shape[1]), np.int64)
            self.allocatable = np.concatenate([self.allocatable, blank])
            self.free = np.concatenate([self.free, blank])
        return number

    def grow(self, capacity: int) -> None:
        self.allocatable = _wider(self.allocatable, capacity)
        self.free = _wider(self.free, capacity)
        self.compared = _wider(self.compared, capacity)
        self.share = _wider(self.share, capacity)

    def set_allocatable(self, row: int, amounts: Mapping[str, int]) -> bool:
        """Returns whether anything is other than it was."""
        new = np.zeros(len(self.index), np.int64)
        for name, number in amounts.items():
            column = self.column(name)
            if column >= len(new):
                new = np.concatenate([new, np.zeros(column + 1 - len(new), np.int64)])
            new[column] = number
        if np.array_equal(self.allocatable[:, row], new):
            return False
        self.free[:, row] += new - self.allocatable[:, row]
        self.allocatable[:, row] = new
        for number in (0, 1):
            self.share[number, row] = 100.0 / new[number] if new[number] > 0 else 0.0
        return True

    def clear(self, row: int) -> None:
        for table in (self.allocatable, self.free, self.compared, self.share):
            table[:, row] = 0

    def take(
        self, row: int, requests: Iterable[tuple[str, int]], compared: Iterable[tuple[str, int]], sign: int
    ) -> None:
        """A pod comes (sign 1) or goes (-1)."""
        for name, number in requests:
            self.free[self.column(name), row] -= sign * number
        self.free[self.index[PODS], row] -= sign
        for column, (_, number) in enumerate(compared):
            self.compared[column, row] += sign * number


class Labels:
    """Label values as numbers: for each key an array of value numbers, -1 where a node has no such label."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._ids: dict[str, Ids] = {}
        self._values: dict[str, list[str]] = {}
        self._numbers: dict[str, dict[str, int]] = {}
        self._rows: dict[int, dict[str, str]] = {}
        self._names: dict[str, int] = {}
        self._masks: dict[NodeWish | Term, Mask] = {}

    def grow(self, capacity: int) -> None:
        self._ids = {key: _longer(ids, capacity, -1) for key, ids in self._ids.items()}
        self._capacity = capacity
        self._masks.clear()

    def set(self, row: int, name: str, labels: Mapping[str, str]) -> bool:
        """Returns whether anything is other than it was."""
        old = self._rows.get(row)
        if old == labels and self._names.get(name) == row:
            return False
        for key in old or ():
            self._ids[key][row] = -1
        for key, value in labels.items():
            numbers = self._numbers.setdefault(key, {})
            if value not in numbers:
                numbers[value] = len(numbers)
                self._values.setdefault(key, []).append(value)
            if key not in self._ids:
                self._ids[key] = np.full(self._capacity, -1, np.int32)
            self._ids[key][row] = numbers[value]
        self._rows[row] = dict(labels)
        self._names[name] = row
        self._masks.clear()
        return True

    def clear(self, row: int, name: str) -> None:
        for key in self._rows.pop(row, ()):
            self._ids[key][row] = -1
        self._names.pop(name, None)
        self._masks.clear()

    def matching(self, wish: NodeWish) -> Mask:
        """The nodes a wish allows. The answer is kept until a label changes, and must not be changed."""
        known = self._masks.get(wish)
        if known is None:
            known = self.term(wish.selector) if wish.selector else np.ones(self._capacity, np.bool_)
            if wish.terms is not None:
                either = np.zeros(self._capacity, np.bool_)
                for term in wish.terms:
                    either |= self.term(term)
                known = known & either
            self._masks[wish] = known
        return known

    def term(self, term: Term) -> Mask:
        known = self._masks.get(term)
        if known is None:
            known = np.full(self._capacity, bool(term), np.bool_)
            for expression in term:
                known &= self._expression(expression)
            self._masks[term] = known
        return known

    def _expression(self, part: Expression) -> Mask:
        if part.field:
            return self._by_name(part)
        ids = self._ids.get(part.key)
        if ids is None:
            ids = np.full(self._capacity, -1, np.int32)
        match part.operator:
            case "In":
                return self._one_of(ids, part)
            case "NotIn":
                return ~self._one_of(ids, part)
            case "Exists":
                return np.asarray(ids >= 0)
            case "DoesNotExist":
                return np.asarray(ids < 0)
            case "Gt" | "Lt":
                return self._compares(ids, part)
            case _:
                return np.zeros(self._capacity, np.bool_)

    def _one_of(self, ids: Ids, part: Expression) -> Mask:
        numbers = self._numbers.get(part.key, {})
        wanted = [numbers[value] for value in part.values if value in numbers]
        if len(wanted) == 1:
            return np.asarray(ids == wanted[0])
        return np.isin(ids, wanted)

    def _compares(self, ids: Ids, part: Expression) -> Mask:
        """Gt and Lt read both sides as integers; a label that is none does not match."""
        try:
            (limit,) = map(int, part.values)
        except ValueError:
            return np.zeros(self._capacity, np.bool_)
        wanted = []
        for number, text in enumerate(self._values.get(part.key, ())):
            try:
                value = int(text)
            except ValueError:
                continue
            if value > limit if part.operator == "Gt" else value < limit:
                wanted.append(number)
        return np.isin(ids, wanted)

    def _by_name(self, part: Expression) -> Mask:
        mask = np.zeros(self._capacity, np.bool_)
        if part.key == "metadata.name":
            rows = [self._names[value] for value in part.values if value in self._names]
            mask[rows] = True
        return ~mask if part.operator == "NotIn" else mask


class Taints:
    """Nodes are few kinds of tainted: each set of taints has a number, and 0 is the empty set."""

    def __init__(self, capacity: int) -> None:
        self.set_of: Ids = np.zeros(capacity, np.int32)
        self.sets: list[tuple[Taint, ...]] = [()]
        self.tainted = 0
        """How many nodes have any taint: where none has, there is nothing to ask."""
        self._numbers: dict[tuple[Taint, ...], int] = {(): 0}
        self._known: dict[tuple[tuple[Toleration, ...], tuple[str, ...]], list[int]] = {}

    def grow(self, capacity: int) -> None:
        self.set_of = _longer(self.set_of, capacity, 0)

    def set(self, row: int, taints: tuple[Taint, ...]) -> bool:
        number = self._numbers.get(taints)
        if number is None:
            number = self._numbers[taints] = len(self.sets)
            self.sets.append(taints)
        old = int(self.set_of[row])
        self.set_of[row] = number
        self.tainted += (number != 0) - (old != 0)
        return old != number

    def untolerated(self, tolerations: tuple[Toleration, ...], effects: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """For each node, how many of its taints with one of these effects no toleration covers."""
        counts = self._known.setdefault((tolerations, effects), [])
        for taints in self.sets[len(counts) :]:
            counts.append(len(bare(taints, tolerations, effects)))
        return np.asarray(counts, np.int64)[self.set_of]


def bare(taints: Iterable[Taint], tolerations: Iterable[Toleration], effects: tuple[str, ...]) -> list[Taint]:
    """The taints with one of `effects` that no toleration covers, in the node's order."""
    covers = tuple(tolerations)
    return [taint for taint in taints if taint.effect in effects and not any(each.tolerates(taint) for each in covers)]


class Ports:
    """Which host ports are taken where. Few pods have any, so this is a dict and not an array."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], dict[int, list[str]]] = {}

    def take(self, row: int, ports: Iterable[HostPort]) -> None:
        for port in ports:
            self._taken.setdefault((port.protocol, port.port), {}).setdefault(row, []).append(port.ip)

    def free(self, row: int, ports: Iterable[HostPort]) -> None:
        for port in ports:
            rows = self._taken[port.protocol, port.port]
            rows[row].remove(port.ip)
            if not rows[row]:
                del rows[row]

    def clear(self, row: int) -> None:
        for rows in self._taken.values():
            rows.pop(row, None)

    def conflicts(self, ports: Iterable[HostPort]) -> list[int]:
        """The rows where one of the ports is taken. 0.0.0.0 takes, and needs, the port of every address."""
        rows = set()
        for port in ports:
            for row, addresses in self._taken.get((port.protocol, port.port), {}).items():
                if port.ip == "0.0.0.0" or "0.0.0.0" in addresses or port.ip in addresses:
                    rows.add(row)
        return sorted(rows)


class Groups:
    """How many pods of each group (one owner's pods, mostly) are on each node."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._counts: dict[str, Ids] = {}
        self._totals: dict[str, int] = {}

    def grow(self, capacity: int) -> None:
        self._counts = {group: _longer(counts, capacity, 0) for group, counts in self._counts.items()}
        self._capacity = capacity

    def add(self, row: int, group: str, sign: int) -> None:
        if not group:
            return
        if group not in self._counts:
            self._counts[group] = np.zeros(self._capacity, np.int32)
            self._totals[group] = 0
        self._counts[group][row] += sign
        self._totals[group] += sign
        if not self._totals[group]:
            del self._counts[group], self._totals[group]

    def clear(self, row: int) -> None:
        for group, counts in list(self._counts.items()):
            self._totals[group] -= int(counts[row])
            counts[row] = 0
            if not self._totals[group]:
                del self._counts[group], self._totals[group]

    def of(self, group: str) -> Ids | None:
        """Counts by row; None when no node has any."""
        return self._counts.get(group)


N = TypeVar("N", bound=np.generic)


def _wider(table: npt.NDArray[N], capacity: int) -> npt.NDArray[N]:
    grown = np.zeros((table.shape[0], capacity), table.dtype)
    grown[:, : table.shape[1]] = table
    return grown


def _longer(ids: Ids, capacity: int, blank: int) -> Ids:
    grown = np.full(capacity, blank, ids.dtype)
    grown[: len(ids)] = ids
    return grown
