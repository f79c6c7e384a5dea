"""What a pod asks of a node."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from api.requests import CPU, Amounts, add, amount, amounts, together
from scheduler.objects import Container, Pod, PodSpec

__all__ = ["CPU", "MEMORY", "PODS", "STORAGE", "Amounts", "amount", "amounts", "held_by", "of_pod"]

MEMORY, STORAGE, PODS = "memory", "ephemeral-storage", "pods"

DEFAULT_CPU = 100
DEFAULT_MEMORY = 200 * 1024 * 1024
"""What a container that asks for nothing is taken for when nodes are compared (never when it is decided if it fits)."""


def of_pod(spec: PodSpec, *, defaults: bool = False, held: Mapping[str, Amounts] = MappingProxyType({})) -> Amounts:
    """The whole pod's requests. With `defaults`, a container that asks for no CPU or memory counts as `DEFAULT_…`.

    Args:
        held: by container, what it holds on its node beside what it asks for; see `held_by`.
    """
    running = together(spec.containers, spec.initContainers or (), partial(_of_container, defaults=defaults, held=held))
    if spec.resources is not None and spec.resources.requests:  # pod-level requests stand above the containers'
        running.update(amounts(spec.resources.requests))
    add(running, amounts(spec.overhead))
    return running


def held_by(pod: Pod) -> Mapping[str, Amounts]:
    """What a pod's containers hold as long as a resize is not done: what they are allocated, and what they were given.
    Nothing for a pod that was never resized, which holds what it asks for."""
    status, metadata = pod.status, pod.metadata
    if status is None or metadata is None or (metadata.generation or 0) <= 1:
        return {}
    found: dict[str, Amounts] = {}
    for each in [*(status.containerStatuses or ()), *(status.initContainerStatuses or ())]:
        given = each.resources.requests if each.resources is not None else None
        found[each.name] = _larger(amounts(each.allocatedResources), amounts(given))
    return found


def _larger(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}


def _of_container(container: Container, defaults: bool, held: Mapping[str, Amounts]) -> Amounts:
    asked = amounts(container.resources.requests) if container.resources is not None else {}
    if container.name in held:
        asked = _larger(asked, held[container.name])
    if defaults:
        asked.setdefault(CPU, DEFAULT_CPU)
        asked.setdefault(MEMORY, DEFAULT_MEMORY)
    return asked
