"""No pod goes to a node that has not said yet that it is ready; the controller of nodes takes the taint away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


async def taint(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Taint a new node, unless it is made with the word that it is ready."""
    if obj is None or not attributes.creates("nodes"):
        return
    conditions = (obj.get("status") or {}).get("conditions") or ()
    if any((each.get("type"), each.get("status")) == ("Ready", "True") for each in conditions):
        return
    spec = obj.get("spec")
    if spec is None:
        spec = obj["spec"] = {}
    given = spec.get("taints") or []
    if not any(all(each.get(field) == value for field, value in NOT_READY.items()) for each in given):
        spec["taints"] = [*given, dict(NOT_READY)]
