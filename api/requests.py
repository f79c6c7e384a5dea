"""What a pod of several containers takes as a whole (KEP-753): the larger of what runs together for good, and what runs
at the worst moment of the start, when init containers run one after the other beside the sidecars started before
them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Protocol, TypeVar

from api import quantity

CPU = "cpu"
Amounts = dict[str, int]
"""By resource, in whole units: CPU in thousandths, memory and storage in bytes."""


class _Container(Protocol):
    @property
    def restartPolicy(self) -> str | None: ...


C = TypeVar("C", bound=_Container)


@lru_cache(maxsize=4096)
def amount(resource: str, text: str | int | float) -> int:
    """Raises ValueError for what is no quantity."""
    return quantity.milli(text) if resource == CPU else quantity.value(text)


def amounts(resources: Mapping[str, str] | None) -> Amounts:
    """The amounts of a map of quantities (a container's requests, a node's allocatable)."""
    return {name: amount(name, text) for name, text in (resources or {}).items()}


def together(containers: Iterable[C], inits: Iterable[C], asked: Callable[[C], Amounts]) -> Amounts:
    """The pod's amounts, where `asked` tells a container's."""
    running: Amounts = {}
    for container in containers:
        add(running, asked(container))
    sidecars: Amounts = {}
    start: Amounts = {}
    for container in inits:
        own = asked(container)
        if container.restartPolicy == "Always":
            add(running, own)
            add(sidecars, own)
            _at_least(start, sidecars)
        else:
            _at_least(start, _sum(own, sidecars))
    _at_least(running, start)
    return running


def add(total: Amounts, more: Amounts) -> None:
    for name, number in more.items():
        total[name] = total.get(name, 0) + number


def _sum(one: Amounts, other: Amounts) -> Amounts:
    total = dict(one)
    add(total, other)
    return total


def _at_least(total: Amounts, least: Amounts) -> None:
    for name, number in least.items():
        total[name] = max(total.get(name, 0), number)
