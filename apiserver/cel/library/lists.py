"""Lists and sets."""

from __future__ import annotations

from typing import Any

from apiserver.cel.functions import function
from apiserver.cel.operators import ORDERED, to_duration, to_int, to_uint
from apiserver.cel.values import NUMBERS, Budget, CelError, Duration, Uint, equals, type_name

_COMPARABLE = ("int", "uint", "double", "bool", "string", "bytes", "timestamp", "duration")


def _ordered(items: list[Any]) -> None:
    """Raises CelError if the elements have no order among them."""
    kinds = {type(item) for item in items}
    if not kinds <= NUMBERS and not (len(kinds) == 1 and kinds <= set(ORDERED)):
        given = ", ".join(sorted(type_name(item) for item in items[:2]))
        raise CelError(f"no such overload: elements of {given} cannot be compared")


@function("bool", *(f"list<{each}>.isSorted()" for each in _COMPARABLE))
def is_sorted(items: list[Any]) -> bool:
    if items:
        _ordered(items)
    return all(items[at] <= items[at + 1] for at in range(len(items) - 1))


@function("int", "list<int>.sum()")
@function("uint", "list<uint>.sum()")
@function("double", "list<double>.sum()")
@function("duration", "list<duration>.sum()")
def total(items: list[Any]) -> Any:
    """The sum; of nothing, the int 0."""
    kinds = {type(item) for item in items}
    if not kinds:
        return 0
    if kinds == {int}:
        return to_int(sum(items))
    if kinds == {Uint}:
        return to_uint(sum(items))
    if kinds == {float}:
        return float(sum(items))
    if kinds == {Duration}:
        return to_duration(sum(item.nanos for item in items))
    raise CelError("no such overload: elements cannot be summed")


def _least(items: list[Any], name: str) -> Any:
    if not items:
        raise CelError(f"{name} called on empty list")
    _ordered(items)
    return min(items) if name == "min" else max(items)


for _type in _COMPARABLE:
    function(_type, f"list<{_type}>.min()")(lambda items: _least(items, "min"))
    function(_type, f"list<{_type}>.max()")(lambda items: _least(items, "max"))


@function("int", "list<~A>.indexOf(~A)", spends=True)
def index_of(budget: Budget, items: list[Any], wanted: Any) -> int:
    budget.spend(len(items))
    return next((at for at, item in enumerate(items) if equals(item, wanted, budget)), -1)


@function("int", "list<~A>.lastIndexOf(~A)", spends=True)
def last_index_of(budget: Budget, items: list[Any], wanted: Any) -> int:
    budget.spend(len(items))
    return next((at for at in range(len(items) - 1, -1, -1) if equals(items[at], wanted, budget)), -1)


@function("bool", "sets.contains(list<~A>, list<~A>)", spends=True)
def contains(budget: Budget, items: list[Any], wanted: list[Any]) -> bool:
    budget.spend(len(items) * len(wanted))
    return all(any(equals(item, each, budget) for item in items) for each in wanted)


@function("bool", "sets.equivalent(list<~A>, list<~A>)", spends=True)
def equivalent(budget: Budget, items: list[Any], others: list[Any]) -> bool:
    return contains(budget, items, others) and contains(budget, others, items)


@function("bool", "sets.intersects(list<~A>, list<~A>)", spends=True)
def intersects(budget: Budget, items: list[Any], others: list[Any]) -> bool:
    budget.spend(len(items) * len(others))
    return any(any(equals(item, other, budget) for item in items) for other in others)
