"""Lists that a schema declares to be sets or maps: the order of their elements does not count, and `+` merges."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import orjson

from apiserver.cel.values import DEEP, NAMES, Budget, equals

_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def _identity(item: Any) -> Hashable:
    """What is equal for equal scalars."""
    return item if isinstance(item, Hashable) else orjson.dumps(item, default=str, option=_SORTED)


class SetList(list[Any]):
    """`x-kubernetes-list-type: set`."""

    def __add__(self, other: Iterable[Any], /) -> SetList:
        known = {_identity(item) for item in self}
        return SetList([*self, *(item for item in other if _identity(item) not in known)])


class KeyedList(list[Any]):
    """`x-kubernetes-list-type: map`."""

    def __init__(self, items: Iterable[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def key_of(self, item: Any) -> Hashable:
        return tuple(_identity(item.get(key)) for key in self.keys) if isinstance(item, dict) else _identity(item)

    def __add__(self, other: Iterable[Any], /) -> KeyedList:
        merged = {self.key_of(item): item for item in self}
        merged |= {self.key_of(item): item for item in other}
        return KeyedList(merged.values(), self.keys)


NAMES[SetList] = NAMES[KeyedList] = "list"


def _equal_sets(a: list[Any], b: list[Any], budget: Budget) -> bool:
    budget.spend(len(a) + len(b))
    return len(a) == len(b) and {_identity(item) for item in a} == {_identity(item) for item in b}


def _equal_keyed(a: KeyedList, b: KeyedList, budget: Budget) -> bool:
    budget.spend(len(a) + len(b))
    if len(a) != len(b):
        return False
    others = {a.key_of(item): item for item in b}
    return all((key := a.key_of(item)) in others and equals(item, others[key], budget) for item in a)


DEEP[SetList] = _equal_sets
DEEP[KeyedList] = _equal_keyed
