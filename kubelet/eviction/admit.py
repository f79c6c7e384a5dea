"""Whether a pod that is bound to this node fits on it: for pods that were bound by hand, and static pods, nobody has
asked yet. Pure; the words are Kubernetes'."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from api.requests import Amounts, add
from api.types import core_v1
from kubelet.eviction.use import is_critical
from kubelet.lifecycle.resize import RESIZABLE, Pending
from kubelet.pod.admission import Refusal
from kubelet.pod.resources import BEST_EFFORT, pod_amounts, qos_class
from kubelet.static.annotations import is_static

_MEMORY_TAINT = "node.kubernetes.io/memory-pressure"


def under_pressure(pod: core_v1.Pod, conditions: Collection[str]) -> Refusal | None:
    """Under memory pressure pods that ask for nothing are refused, under any other every pod; but critical ones."""
    assert pod.spec is not None
    if not conditions or is_critical(pod):
        return None
    modest = qos_class(pod.spec) != BEST_EFFORT or _tolerates(pod.spec, _MEMORY_TAINT)
    if set(conditions) == {"MemoryPressure"} and modest:
        return None
    return Refusal("Evicted", f"The node had condition: [{' '.join(sorted(conditions))}]. ")


def _tolerates(spec: core_v1.PodSpec, key: str) -> bool:
    own = [each for each in spec.tolerations or () if each.effect in (None, "", "NoSchedule")]
    exists = any(each.operator == "Exists" and each.key in (None, "", key) for each in own)
    return exists or any(each.key == key and not each.value for each in own)


def fits(pod: core_v1.Pod, others: Iterable[core_v1.Pod], allocatable: Amounts) -> Refusal | None:
    """Args: others: the pods that have been taken and have not ended."""
    assert pod.spec is not None
    used: Amounts = {"pods": 0}
    for each in others:
        assert each.spec is not None
        add(used, pod_amounts(each.spec, "requests"))
        used["pods"] += 1
    asked = {"pods": 1, **pod_amounts(pod.spec, "requests")}
    for name, number in asked.items():
        there = allocatable.get(name)
        if number and (there is None or used.get(name, 0) + number > there):
            return _refusal(name, number, used.get(name, 0), there or 0)
    return None


def resizable(pod: core_v1.Pod, others: Iterable[core_v1.Pod], allocatable: Amounts) -> Pending | None:
    """Why a running pod can't have the amounts that it wants: never on this node, or not now."""
    assert pod.spec is not None
    if is_static(pod):
        return Pending("Infeasible", "In-place resize of static-pods is not supported")
    asked = pod_amounts(pod.spec, "requests")
    for name in RESIZABLE:
        number, there = asked.get(name, 0), allocatable.get(name, 0)
        if number > there:
            said = f"Node didn't have enough capacity: {name}, requested: {number}, capacity: {there}"
            return Pending("Infeasible", said)
    refused = fits(pod, others, allocatable)
    return Pending("Deferred", refused.message) if refused is not None else None


def _refusal(name: str, asked: int, used: int, there: int) -> Refusal:
    said = f"Node didn't have enough resource: {name}, requested: {asked}, used: {used}, capacity: {there}"
    return Refusal(f"OutOf{name}", said)
