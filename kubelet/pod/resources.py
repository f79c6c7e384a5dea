"""Requests and limits as Linux knows them: QoS class, cgroup parent, CPU shares and quota, memory, OOM score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from api import requests
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

    def host_config(self, period: int = QUOTA_PERIOD) -> dict[str, int]:
        """In Docker's words. Swap would make the limit a wish: memory and swap together are capped at the same."""
        found = {"CpuShares": self.cpu_shares, "Memory": self.memory, "MemorySwap": self.memory}
        return found | ({"CpuPeriod": period, "CpuQuota": self.cpu_quota} if self.cpu_quota else {})


def amounts(container: core_v1.Container, kind: str) -> Mapping[str, str]:
    """The container's `requests` or `limits`; a missing request is the limit, as the API server fills it."""
    resources = container.resources
    if resources is None:
        return {}
    if kind == "limits":
        return resources.limits or {}
    return {**(resources.limits or {}), **(resources.requests or {})}


def limits(container: core_v1.Container, period: int = QUOTA_PERIOD) -> Limits:
    """Args: period: the microseconds over which a CPU limit holds; 0 for no such limits at all."""
    asked, ceilings = amounts(container, "requests"), amounts(container, "limits")
    return Limits(
        cpu_shares=shares(milli(asked["cpu"]) if "cpu" in asked else 0),
        cpu_quota=quota(milli(ceilings["cpu"]) if "cpu" in ceilings else 0, period),
        memory=value(ceilings["memory"]) if "memory" in ceilings else 0,
    )


def shares(cpu: int) -> int:
    """A request of CPU (in thousandths) as cgroup v1 weighs it."""
    return min(max(cpu * SHARES_PER_CPU // 1000, MIN_SHARES), MAX_SHARES)


def quota(cpu: int, period: int = QUOTA_PERIOD) -> int:
    """A limit of CPU (in thousandths) in microseconds a period; 0 for none."""
    return max(cpu * period // 1000, MIN_QUOTA) if cpu and period else 0


def pod_amounts(spec: core_v1.PodSpec, kind: str) -> requests.Amounts:
    """The pod's `requests` or `limits` as a whole; those it states for itself stand above its containers'."""
    asked = partial(_plain, kind=kind)
    found = requests.together(spec.containers, spec.initContainers or (), asked)
    if spec.resources is not None:
        found |= requests.amounts(spec.resources.requests if kind == "requests" else spec.resources.limits)
    overhead = requests.amounts(spec.overhead)
    requests.add(found, overhead if kind == "requests" else {key: overhead[key] for key in overhead if key in found})
    return found


def _plain(container: core_v1.Container, kind: str) -> requests.Amounts:
    return requests.amounts(amounts(container, kind))


def _positive(of: Mapping[str, str], name: str) -> bool:
    return name in of and parse(of[name]) > 0


def qos_class(spec: core_v1.PodSpec) -> str:
    """Guaranteed: every container limits both CPU and memory and requests as much; BestEffort: none says anything. What
    the pod states for itself counts instead of its containers' words."""
    whole = spec.resources
    if whole is not None and (whole.requests or whole.limits):
        stated = [core_v1.Container(name="", resources=whole)]
    else:
        stated = [*spec.containers, *(spec.initContainers or ())]
    if not any(_positive(amounts(each, "requests"), name) for each in stated for name in ("cpu", "memory")):
        return BEST_EFFORT
    return GUARANTEED if all(_is_fixed(each) for each in stated) else BURSTABLE


def _is_fixed(container: core_v1.Container) -> bool:
    asked, ceilings = amounts(container, "requests"), amounts(container, "limits")
    return all(_positive(ceilings, name) and parse(asked[name]) == parse(ceilings[name]) for name in ("cpu", "memory"))


def oom_score(container: core_v1.Container, spec: core_v1.PodSpec, node_memory: int, *, critical: bool = False) -> int:
    """How readily the kernel kills it when memory runs out: the more it asked for, the later. A sidecar goes no sooner
    than what it serves."""
    qos = qos_class(spec)
    if critical or qos == GUARANTEED:
        return GUARANTEED_OOM_SCORE
    if qos == BEST_EFFORT:
        return BEST_EFFORT_OOM_SCORE
    score = _burstable_score(container, spec, node_memory)
    if container.restartPolicy == "Always" and any(container is each for each in spec.initContainers or ()):
        score = min([score, *(_burstable_score(each, spec, node_memory) for each in spec.containers)])
    return score


def _burstable_score(container: core_v1.Container, spec: core_v1.PodSpec, node_memory: int) -> int:
    asked = _plain(container, "requests").get("memory", 0) + _part_of_the_rest(spec)
    score = 1000 - 1000 * asked // max(node_memory, 1)
    return min(max(score, 1000 + GUARANTEED_OOM_SCORE), BEST_EFFORT_OOM_SCORE - 1)


def _part_of_the_rest(spec: core_v1.PodSpec) -> int:
    """What the pod asks for beyond its containers is shared among them."""
    whole = requests.amounts(spec.resources.requests).get("memory", 0) if spec.resources is not None else 0
    stated = [_plain(each, "requests").get("memory", 0) for each in spec.containers]
    return max(whole - sum(stated), 0) // max(len(stated), 1)


def cgroup_parent(root: str, qos: str, uid: str, driver: str) -> str:
    """The pod's cgroup, as Docker's cgroup driver wants it written."""
    if driver == "systemd":
        return tier_parent(root, qos, driver).removesuffix(".slice") + f"-pod{uid.replace('-', '_')}.slice"
    return f"{tier_parent(root, qos, driver)}/pod{uid}"


def tier_parent(root: str, qos: str, driver: str) -> str:
    """The cgroup of all pods of a QoS class; Guaranteed ones lie in that of all pods."""
    parts = ["kubepods", *([] if qos == GUARANTEED else [qos.lower()])]
    return "-".join(parts) + ".slice" if driver == "systemd" else "/".join([root.rstrip("/"), *parts])


def total(containers: Iterable[core_v1.Container], kind: str, name: str) -> int:
    """The sum of one resource over containers: millis for cpu, plain units for others."""
    of = milli if name == "cpu" else value
    return sum(of(amounts(each, kind)[name]) for each in containers if name in amounts(each, kind))
