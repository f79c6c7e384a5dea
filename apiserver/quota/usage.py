"""What an object takes from the quotas of its namespace. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from apiserver.registry import pod_usage
from apiserver.registry.kind import Kind, Object
from apiserver.registry.resources import extended

Amounts = dict[str, str]
Evaluate = Callable[[Object], Amounts]

_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_NAMED_PLAINLY = frozenset({"configmaps", "replicationcontrollers", "resourcequotas", "secrets"})
"""Resources that could be counted before every resource could, under their own names."""
_STATED_BY_EACH = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
"""What every container of a pod must state where it is counted."""


def count_name(kind: Kind) -> str:
    return f"count/{kind.resource}"


def usage(kind: Kind, obj: Object) -> Amounts:
    """Amounts by the names that quotas have for them."""
    found = {count_name(kind): "1"}
    if not kind.group:
        if kind.plural in _NAMED_PLAINLY:
            found[kind.plural] = "1"
        elif evaluate := _EVALUATORS.get(kind.plural):
            found |= evaluate(obj)
    return found


def weighed(kind: Kind) -> bool:
    """Whether there is more to its objects than their number."""
    return not kind.group and kind.plural in _EVALUATORS


def _pod(pod: Object) -> Amounts:
    """A pod that has ended takes nothing any more."""
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return {}
    spec = pod.get("spec") or {}
    requests, limits = pod_usage.total(spec, "requests"), pod_usage.total(spec, "limits")
    return {"pods": "1", **_computed(requests, limits)}


def _computed(requests: Mapping[str, str], limits: Mapping[str, str]) -> Amounts:
    found: Amounts = {}
    for name, amount in requests.items():
        if name in _COMPUTE or name.startswith("hugepages-"):
            found[name] = found[f"requests.{name}"] = amount
        elif extended(name):
            found[f"requests.{name}"] = amount
    found |= {f"limits.{name}": amount for name, amount in limits.items() if name in _COMPUTE}
    return found


def _service(service: Object) -> Amounts:
    spec = service.get("spec") or {}
    ports, kind = spec.get("ports") or [], spec.get("type")
    balanced = kind == "LoadBalancer"
    held = 0
    if kind == "NodePort" or (balanced and spec.get("allocateLoadBalancerNodePorts") is not False):
        held = len(ports)
    elif balanced:
        held = sum(1 for port in ports if port.get("nodePort"))
    balancers = "1" if balanced else "0"
    return {"services": "1", "services.nodeports": str(held), "services.loadbalancers": balancers}


def _claim(claim: Object) -> Amounts:
    spec = claim.get("spec") or {}
    found = {"persistentvolumeclaims": "1"}
    amount = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if amount is not None:
        found["requests.storage"] = amount
    name = ((claim.get("metadata") or {}).get("annotations") or {}).get("volume.beta.kubernetes.io/storage-class")
    name = name or spec.get("storageClassName")
    if not name:
        return found
    return found | {f"{name}.storageclass.storage.k8s.io/{key}": value for key, value in found.items()}


_EVALUATORS: dict[str, Evaluate] = {"pods": _pod, "services": _service, "persistentvolumeclaims": _claim}


def unstated(kind: Kind, obj: Object, counted: Iterable[str]) -> str:
    """What containers do not state although it is counted, in a sentence; nothing for all other kinds."""
    if kind.group or kind.plural != "pods":
        return ""
    needed = _STATED_BY_EACH.intersection(counted)
    spec = obj.get("spec") or {}
    if not needed or spec.get("resources"):
        return ""
    missing: dict[str, set[str]] = {}
    for container in pod_usage.containers(spec):
        stated = container.get("resources") or {}
        has = _computed(stated.get("requests") or {}, stated.get("limits") or {})
        for name in needed.difference(has):
            missing.setdefault(name, set()).add(container.get("name") or "")
    parts = (f"{name} for: {','.join(sorted(names))}" for name, names in sorted(missing.items()))
    return f"must specify {'; '.join(parts)}" if missing else ""
