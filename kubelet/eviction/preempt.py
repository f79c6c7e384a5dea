"""Room for a critical pod: which pods end for it, as few and as unimportant ones as can be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from api.requests import Amounts
from api.types import core_v1
from kubelet.eviction.admit import fits
from kubelet.eviction.use import is_critical
from kubelet.pod.resources import BEST_EFFORT, BURSTABLE, GUARANTEED, pod_amounts, qos_class

REASON = "Preempting"
MESSAGE = "Preempted in order to admit critical pod"

_ORDER = (BEST_EFFORT, BURSTABLE, GUARANTEED)


def victims(pod: core_v1.Pod, others: Sequence[core_v1.Pod], allocatable: Amounts) -> list[core_v1.Pod]:
    """Those that end so that a critical pod fits; none if even all of them would not do."""
    assert pod.spec is not None
    if not is_critical(pod):
        return []
    mine = pod.spec.priority or 0
    lesser = sorted((each for each in others if not is_critical(each) and _priority(each) <= mine), key=_worth)
    chosen: list[core_v1.Pod] = []
    for each in lesser:
        if _fits_without(pod, others, chosen, allocatable):
            break
        chosen.append(each)
    if not _fits_without(pod, others, chosen, allocatable):
        return []
    # A large one may have made the small ones before it unnecessary.
    for each in list(chosen):
        rest = [other for other in chosen if other is not each]
        if _fits_without(pod, others, rest, allocatable):
            chosen = rest
    return chosen


def _fits_without(
    pod: core_v1.Pod, others: Iterable[core_v1.Pod], gone: Sequence[core_v1.Pod], allocatable: Amounts
) -> bool:
    stay = [each for each in others if not any(each is other for other in gone)]
    return fits(pod, stay, allocatable) is None


def _priority(pod: core_v1.Pod) -> int:
    return (pod.spec.priority or 0) if pod.spec is not None else 0


def _worth(pod: core_v1.Pod) -> tuple[int, int, int, int]:
    assert pod.spec is not None
    asked = pod_amounts(pod.spec, "requests")
    return _ORDER.index(qos_class(pod.spec)), _priority(pod), asked.get("memory", 0), asked.get("cpu", 0)
