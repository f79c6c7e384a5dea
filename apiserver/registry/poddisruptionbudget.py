"""PodDisruptionBudget: how many pods of an application may be taken away at once. The eviction subresource asks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from api.field import FieldError, invalid, not_supported
from apiserver.registry import rules, workload
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


class PodDisruptionBudgetStrategy(StatusStrategy):
    has_generation = True
    allow_unconditional_update = False

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = dict.fromkeys(_COUNTS, 0)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        given = [name for name in ("minAvailable", "maxUnavailable") if spec.get(name) is not None]
        errors: list[FieldError] = []
        if len(given) > 1:
            errors.append(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
        for name in given:
            errors += rules.count_or_percent(spec[name], f"spec.{name}")
            errors += rules.at_most_all(spec[name], f"spec.{name}")
        errors += rules.label_selector(spec.get("selector"), "spec.selector")
        policy = spec.get("unhealthyPodEvictionPolicy")
        if policy is not None and policy not in _POLICIES:
            errors.append(not_supported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES))
        return errors

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        status = new.get("status") or {}
        errors = rules.conditions(status.get("conditions") or [], "status.conditions")
        return errors + rules.not_negative(status, _COUNTS, "status")


def _wanted(name: str) -> Callable[[Object, datetime], Any]:
    def cell(obj: Object, now: datetime) -> str:
        value = (obj.get("spec") or {}).get(name)
        return "N/A" if value is None else str(value)

    return cell


KIND = Kind(
    group="policy",
    version="v1",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    definition="io.k8s.api.policy.v1.PodDisruptionBudget",
    singular="poddisruptionbudget",
    strategy=PodDisruptionBudgetStrategy(),
    short_names=("pdb",),
    status=True,
    columns=(
        Column("Min Available", _wanted("minAvailable"), description="Pods that must stay available"),
        Column("Max Unavailable", _wanted("maxUnavailable"), description="Pods that may be unavailable"),
        workload.count(
            "Allowed Disruptions", "status", "disruptionsAllowed", description="Pods that may be taken away now"
        ),
    ),
)
