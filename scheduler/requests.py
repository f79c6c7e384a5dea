"""What a pod asks of a node: amounts by resource, in whole units (CPU in thousandths, memory and storage in bytes).

The rule for a pod of several containers (KEP-753, sidecars): the larger of what runs together for good, and what runs
at the worst moment of the start, when init containers run one after the other beside the sidecars started before
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from api import quantity
from scheduler.objects import Container, PodSpec

Amounts = dict[str, int]

CPU, MEMORY, STORAGE, PODS = "cpu", "memory", "ephemeral-storage", "pods"

DEFAULT_CPU = 100
DEFAULT_MEMORY = 200 * 1024 * 1024
"""What a container that asks for nothing is taken for when nodes are compared (never when it is decided if it fits)."""


@lru_cache(maxsize=4096)
def amount(resource: str, text: str | int | float) -> int:
    """Raises ValueError for what is no quantity."""
    return quantity.milli(text) if resource == CPU else quantity.value(text)


def amounts(resources: Mapping[str, str] | None) -> Amounts:
    """The amounts of a map of quantities (a container's requests, a node's allocatable)."""
    return {name: amount(name, text) for name, text in (resources or {}).items()}


def of_pod(spec: PodSpec, *, defaults: bool = False) -> Amounts:
    """The whole pod's requests. With `defaults`, a container that asks for no CPU or memory counts as `DEFAULT_…`."""
    running: Amounts = {}
    for container in spec.containers:
        _add(running, _of_container(container, defaults))
    sidecars: Amounts = {}
    start: Amounts = {}
    for container in spec.initContainers or ():
        asked = _of_container(container, defaults)
        if container.restartPolicy == "Always":
            _add(running, asked)
            _add(sidecars, asked)
            _at_least(start, sidecars)
        else:
            _at_least(start, _sum(asked, sidecars))
    _at_least(running, start)
    if spec.resources is not None and spec.resources.requests:  # pod-level requests stand above the containers'
        running.update(amounts(spec.resources.requests))
    _add(running, amounts(spec.overhead))
    return running


def _of_container(container: Container, defaults: bool) -> Amounts:
    asked = amounts(container.resources.requests) if container.resources is not None else {}
    if defaults:
        asked.setdefault(CPU, DEFAULT_CPU)
        asked.setdefault(MEMORY, DEFAULT_MEMORY)
    return asked


def _add(total: Amounts, more: Amounts) -> None:
    for name, number in more.items():
        total[name] = total.get(name, 0) + number


def _sum(one: Amounts, other: Amounts) -> Amounts:
    total = dict(one)
    _add(total, other)
    return total


def _at_least(total: Amounts, least: Amounts) -> None:
    for name, number in least.items():
        total[name] = max(total.get(name, 0), number)
