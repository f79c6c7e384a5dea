"""What a pod's RuntimeClass costs, and where it can run, is written into the pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiserver.admission import lookup
from apiserver.registry import rules
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State

GROUP = "node.k8s.io"


async def apply(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Set a new pod's overhead, node selector and tolerations. Raises Forbidden when they do not go together."""
    if obj is None or not attributes.creates("pods"):
        return
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    name = spec.get("runtimeClassName")
    found = await lookup.find(state, "runtimeclasses", GROUP, name) if name else {}
    if found is None:
        raise attributes.forbidden(f'pod rejected: RuntimeClass "{name}" not found')
    fixed = (found.get("overhead") or {}).get("podFixed")
    if fixed:
        if spec.get("overhead") is not None and not rules.same(spec["overhead"], fixed):
            why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            raise attributes.forbidden(why)
        spec["overhead"] = fixed
    elif spec.get("overhead"):
        why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        raise attributes.forbidden(why)
    if where := found.get("scheduling"):
        _place(attributes, spec, where)


def _place(attributes: Attributes, spec: Object, where: Object) -> None:
    wanted, given = where.get("nodeSelector") or {}, spec.get("nodeSelector") or {}
    for key, value in wanted.items():
        if given.get(key, value) != value:
            at = f"scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {given[key]}"
            raise attributes.forbidden(f"conflict: runtimeClass.{at}")
    if wanted:
        spec["nodeSelector"] = {**given, **wanted}
    tolerations = list(spec.get("tolerations") or ())
    tolerations += [each for each in where.get("tolerations") or () if each not in tolerations]
    if tolerations:
        spec["tolerations"] = tolerations
