"""Requests and limits as Linux knows them: QoS class, cgroup parent, CPU shares and quota, memory, OOM score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.quantity import milli, parse, value
from api.types import core_v1

MIN_SHARES = 2
MAX_SHARES = 262144
SHARES_PER_CPU = 1024
QUOTA_PERIOD = 100_000
MIN_QUOTA = 1_000

SANDBOX_OOM_SCORE = -998
GUARANTEED_OOM_SCORE = -997
BEST_EFFORT_OOM_SCORE = 1000

GUARANTEED = "Guaranteed"
BURSTABLE = "Burstable"
BEST_EFFORT = "BestEffort"


@dataclass(frozen=True, slots=True)
class Limits:
    """One container's share of the node. 0 means unlimited."""

    cpu_shares: int
    cpu_quota: int
    memory: int


def amounts(container: core_v1.Container, kind: str) -> Mapping[str, str]:
    """The container's `requests` or `limits`; a missing request is the limit, as the API server fills it."""
    resources = container.resources
    if resources is None:
        return {}
    if kind == "limits":
        return resources.limits or {}
    return {**(resources.limits or {}), **(resources.requests or {})}


def limits(container: core_v1.Container) -> Limits:
    requests, ceilings = amounts(container, "requests"), amounts(container, "limits")
    cpu = milli(requests["cpu"]) if "cpu" in requests else 0
    return Limits(
        cpu_shares=min(max(cpu * SHARES_PER_CPU // 1000, MIN_SHARES), MAX_SHARES),
        cpu_quota=max(milli(ceilings["cpu"]) * QUOTA_PERIOD // 1000, MIN_QUOTA) if _positive(ceilings, "cpu") else 0,
        memory=value(ceilings["memory"]) if "memory" in ceilings else 0,
    )


def _positive(of: Mapping[str, str], name: str) -> bool:
    return name in of and parse(of[name]) > 0


def qos_class(spec: core_v1.PodSpec) -> str:
    """Guaranteed: every container limits both CPU and memory and requests as much; BestEffort: none says anything."""
    containers = [*spec.containers, *(spec.initContainers or ())]
    if not any(_positive(amounts(each, "requests"), name) for each in containers for name in ("cpu", "memory")):
        return BEST_EFFORT
    return GUARANTEED if all(_is_fixed(each) for each in containers) else BURSTABLE


def _is_fixed(container: core_v1.Container) -> bool:
    requests, ceilings = amounts(container, "requests"), amounts(container, "limits")
    return all(
        _positive(ceilings, name) and parse(requests[name]) == parse(ceilings[name]) for name in ("cpu", "memory")
    )


def oom_score(container: core_v1.Container, qos: str, node_memory: int) -> int:
    """How readily the kernel kills it when memory runs out: the more it asked for, the later."""
    if qos == GUARANTEED:
        return GUARANTEED_OOM_SCORE
    if qos == BEST_EFFORT:
        return BEST_EFFORT_OOM_SCORE
    requests = amounts(container, "requests")
    asked = value(requests["memory"]) if "memory" in requests else 0
    score = 1000 - 1000 * asked // max(node_memory, 1)
    return min(max(score, 1000 + GUARANTEED_OOM_SCORE), BEST_EFFORT_OOM_SCORE - 1)


def cgroup_parent(root: str, qos: str, uid: str, driver: str) -> str:
    """The pod's cgroup, as Docker's cgroup driver wants it written."""
    tier = [] if qos == GUARANTEED else [qos.lower()]
    if driver == "systemd":
        parts = ["kubepods", *tier, f"pod{uid.replace('-', '_')}"]
        return "-".join(parts) + ".slice"
    return "/".join([root.rstrip("/"), "kubepods", *tier, f"pod{uid}"])


def total(containers: Iterable[core_v1.Container], kind: str, name: str) -> int:
    """The sum of one resource over containers: millis for cpu, plain units for others."""
    of = milli if name == "cpu" else value
    return sum(of(amounts(each, kind)[name]) for each in containers if name in amounts(each, kind))
