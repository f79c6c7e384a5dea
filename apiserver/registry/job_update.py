"""What may change in a Job: little, but more of it while it is suspended and none of its pods runs."""

from __future__ import annotations

from typing import Any

from api.field import FieldError, invalid
from apiserver.registry import rules
from apiserver.registry.kind import Object

_FIXED_AFTER = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
_PLACEMENT = ("nodeSelector", "tolerations", "schedulingGates")
_TEMPLATE_META = ("labels", "annotations")


def changes(new: Object, old: Object) -> list[FieldError]:
    spec, before = new["spec"], old["spec"]
    errors = _completions(spec, before)
    errors += rules.immutable(spec.get("selector"), before.get("selector"), "spec.selector")
    template, kept = spec["template"], before["template"]
    if before.get("suspend"):
        kept = _with_what_may_change(kept, template, _rests(old))
    errors += rules.immutable(template, kept, "spec.template")
    for name in _FIXED_AFTER:
        errors += rules.immutable(spec.get(name), before.get(name), f"spec.{name}")
    return errors


def _completions(spec: Object, before: Object) -> list[FieldError]:
    now, then = spec.get("completions"), before.get("completions")
    if spec["completionMode"] != "Indexed":
        return rules.immutable(now, then, "spec.completions")
    if now is None or now in (then, spec["parallelism"]):
        return []
    return [invalid("spec.completions", now, "can only be modified in tandem with spec.parallelism")]


def _rests(old: Object) -> bool:
    """Whether a suspended Job has no pod left."""
    status = old.get("status") or {}
    return not status.get("active") and not status.get("terminating")


def _with_what_may_change(before: Object, template: Object, rests: bool) -> Object:
    """The old template with those parts of the new one that a suspended Job may get."""
    if not rests:
        return before
    meta = {**before["metadata"], **{name: template["metadata"].get(name) for name in _TEMPLATE_META}}
    spec = {**before["spec"], **{name: template["spec"].get(name) for name in _PLACEMENT}}
    node = (template["spec"].get("affinity") or {}).get("nodeAffinity")
    affinity = {**(spec.get("affinity") or {}), "nodeAffinity": node}
    spec["affinity"] = {kind: value for kind, value in affinity.items() if value is not None}
    for field in ("containers", "initContainers"):
        spec[field] = _with_resources(spec.get(field), template["spec"].get(field))
    return {**before, "metadata": meta, "spec": spec}


def _with_resources(before: list[Object] | None, now: list[Object] | None) -> Any:
    if not before or not now or len(before) != len(now):
        return before
    return [{**old, "resources": new.get("resources")} for old, new in zip(before, now, strict=True)]
