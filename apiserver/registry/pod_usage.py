"""What a pod as a whole asks for and may use: its containers together, those that run before, and its overhead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api import quantity
from apiserver.registry.kind import Object

Amounts = dict[str, str]

_FOR_ALL = ("cpu", "memory", "hugepages-")
"""What can be given for the pod as a whole."""


def added(first: Mapping[str, str], second: Mapping[str, str]) -> Amounts:
    """The sum of two lists, resource by resource."""
    total = dict(first)
    for name, amount in second.items():
        total[name] = quantity.plus(total[name], amount) if name in total else amount
    return total


def _largest(first: Mapping[str, str], second: Mapping[str, str]) -> Amounts:
    larger = dict(first)
    for name, amount in second.items():
        if name not in larger or quantity.parse(larger[name]) < quantity.parse(amount):
            larger[name] = amount
    return larger


def _stated(container: Object, field: str) -> Mapping[str, str]:
    return (container.get("resources") or {}).get(field) or {}


def total(spec: Object, field: str, *, overhead: bool = True) -> Amounts:
    """The `requests` or `limits` of a pod. Containers run side by side, init containers one after the other.

    An init container that is restarted always (a sidecar) goes on running beside what comes after it.
    """
    running: Amounts = {}
    for container in spec.get("containers") or ():
        running = added(running, _stated(container, field))
    beside: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("initContainers") or ():
        mine = _stated(container, field)
        if container.get("restartPolicy") == "Always":
            running, beside = added(running, mine), added(beside, mine)
            mine = beside
        else:
            mine = added(mine, beside)
        starting = _largest(starting, mine)
    found = _largest(running, starting)
    whole = (spec.get("resources") or {}).get(field) or {}
    found |= {name: amount for name, amount in whole.items() if name.startswith(_FOR_ALL)}
    if overhead and (fixed := spec.get("overhead")):
        counted = fixed if field == "requests" else {name: each for name, each in fixed.items() if name in found}
        found = added(found, counted)
    return found


def containers(spec: Object) -> Iterable[Object]:
    """The containers whose resources count."""
    yield from spec.get("containers") or ()
    yield from spec.get("initContainers") or ()
