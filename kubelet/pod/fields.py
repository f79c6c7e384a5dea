"""The downward API: a pod's own fields and resources as text, for environment variables and for files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from api.field import quote
from api.quantity import parse
from api.types import core_v1
from kubelet.pod.resources import amounts

_OVERCOMMITTED = ("cpu", "memory", "ephemeral-storage")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]\Z")


class FieldError(ValueError):
    """A reference that names nothing a pod may see."""


@dataclass(frozen=True)
class Facts:
    """What a pod may learn of its surroundings beyond its own object."""

    pod_ips: tuple[str, ...] = ()
    host_ips: tuple[str, ...] = ()
    allocatable: Mapping[str, str] = field(default_factory=dict)
    """What a container without limits has: the pod's own limits, or the node's."""


def field_value(pod: core_v1.Pod, path: str, facts: Facts) -> str:
    """The value of `fieldRef.fieldPath`. Raises FieldError."""
    metadata, spec = pod.metadata, pod.spec
    assert metadata is not None
    assert spec is not None
    plain = {
        "metadata.name": metadata.name,
        "metadata.namespace": metadata.namespace,
        "metadata.uid": metadata.uid,
        "spec.nodeName": spec.nodeName,
        "spec.serviceAccountName": spec.serviceAccountName,
        "status.hostIP": next(iter(facts.host_ips), ""),
        "status.hostIPs": ",".join(facts.host_ips),
        "status.podIP": next(iter(facts.pod_ips), ""),
        "status.podIPs": ",".join(facts.pod_ips),
    }
    if path in plain:
        return plain[path] or ""
    maps = {"labels": metadata.labels or {}, "annotations": metadata.annotations or {}}
    if path in ("metadata.labels", "metadata.annotations"):
        return _lines(maps[path.partition(".")[2]])
    match = _SUBSCRIPT.match(path)
    if match is None:
        raise FieldError(f"unsupported fieldPath: {path}")
    return str(maps[match[1]].get(match[2], ""))


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(f"{key}={quote(values[key])}" for key in sorted(values))


def named_container(pod: core_v1.Pod, name: str) -> core_v1.Container:
    """The pod's container of this name. Raises FieldError."""
    assert pod.spec is not None
    containers: list[core_v1.Container] = [*pod.spec.containers, *(pod.spec.initContainers or ())]
    found = next((each for each in containers if each.name == name), None)
    if found is None:
        raise FieldError(f"container {name} not found")
    return found


def resource_value(container: core_v1.Container, selector: core_v1.ResourceFieldSelector, facts: Facts) -> str:
    """The value of a `resourceFieldRef`: rounded up to whole divisors. A limit that isn't set, or is 0, is the node's;
    huge pages have none but their own. Raises FieldError."""
    kind, _, name = selector.resource.partition(".")
    if kind not in ("limits", "requests") or not name:
        raise FieldError(f"unsupported container resource : {selector.resource}")
    asked = amounts(container, kind)
    amount = parse(asked[name]) if name in asked else Fraction(0)
    if not amount and kind == "limits" and name in _OVERCOMMITTED and name in facts.allocatable:
        amount = parse(facts.allocatable[name])
    divisor = parse(str(selector.divisor)) if selector.divisor not in (None, "", "0") else Fraction(1)
    return str(ceil(amount / divisor))
