"""What a pod asks of a node."""

from __future__ import annotations

from functools import partial

from api.requests import CPU, Amounts, add, amount, amounts, together
from scheduler.objects import Container, PodSpec

__all__ = ["CPU", "MEMORY", "PODS", "STORAGE", "Amounts", "amount", "amounts", "of_pod"]

MEMORY, STORAGE, PODS = "memory", "ephemeral-storage", "pods"

DEFAULT_CPU = 100
DEFAULT_MEMORY = 200 * 1024 * 1024
"""What a container that asks for nothing is taken for when nodes are compared (never when it is decided if it fits)."""


def of_pod(spec: PodSpec, *, defaults: bool = False) -> Amounts:
    """The whole pod's requests. With `defaults`, a container that asks for no CPU or memory counts as `DEFAULT_…`."""
    running = together(spec.containers, spec.initContainers or (), partial(_of_container, defaults=defaults))
    if spec.resources is not None and spec.resources.requests:  # pod-level requests stand above the containers'
        running.update(amounts(spec.resources.requests))
    add(running, amounts(spec.overhead))
    return running


def _of_container(container: Container, defaults: bool) -> Amounts:
    asked = amounts(container.resources.requests) if container.resources is not None else {}
    if defaults:
        asked.setdefault(CPU, DEFAULT_CPU)
        asked.setdefault(MEMORY, DEFAULT_MEMORY)
    return asked
