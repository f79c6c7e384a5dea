"""Deployment: rolls a set of pods from one template to the next."""

from __future__ import annotations

from api import intstr
from api.field import FieldError, forbidden, invalid, not_supported, required
from apiserver.registry import rules, workload
from apiserver.registry.kind import Context, Kind, Object, Scale

_STRATEGIES = ("Recreate", "RollingUpdate")
_SHARE = "25%"
_DEFAULTS = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
_NUMBERS = ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
_COUNTS = ("updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")


class DeploymentStrategy(workload.WorkloadStrategy):
    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        for name, value in _DEFAULTS.items():
            if spec.get(name) is None:
                spec[name] = value
        if spec.get("strategy") is None:
            spec["strategy"] = {}
        _default_strategy(spec["strategy"])
        workload.default_template(spec)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        errors = rules.not_negative(spec, ("replicas",), "spec")
        errors += workload.selector_and_template(spec, "ReplicaSet")
        errors += _strategy(spec["strategy"])
        errors += rules.not_negative(spec, _NUMBERS[1:], "spec")
        deadline = spec["progressDeadlineSeconds"]
        if deadline <= (spec.get("minReadySeconds") or 0):
            errors.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
        return errors

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        status, before = new.get("status") or {}, old.get("status") or {}
        errors = workload.replica_counts(status, _COUNTS)
        errors += rules.not_negative(status, ("collisionCount",), "status")
        return errors + rules.not_less(status, before, "collisionCount", "status")


def _default_strategy(strategy: Object) -> None:
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] != "RollingUpdate":
        return
    rolling = strategy.get("rollingUpdate")
    if rolling is None:
        rolling = strategy["rollingUpdate"] = {}
    for name in ("maxUnavailable", "maxSurge"):
        if rolling.get(name) is None:
            rolling[name] = _SHARE


def _strategy(strategy: Object) -> list[FieldError]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    at = "spec.strategy"
    if kind == "Recreate":
        text = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden(f"{at}.rollingUpdate", text)] if rolling is not None else []
    if kind != "RollingUpdate":
        return [not_supported(f"{at}.type", kind or "", _STRATEGIES)]
    if rolling is None:
        return [required(f"{at}.rollingUpdate", "this should be defaulted and never be nil")]
    return _rolling(rolling, f"{at}.rollingUpdate")


def _rolling(rolling: Object, at: str) -> list[FieldError]:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    errors = rules.count_or_percent(unavailable, f"{at}.maxUnavailable")
    errors += rules.count_or_percent(surge, f"{at}.maxSurge")
    if intstr.amount(unavailable) == 0 and intstr.amount(surge) == 0:
        errors.append(invalid(f"{at}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    return errors + rules.at_most_all(unavailable, f"{at}.maxUnavailable")


KIND = Kind(
    group="apps",
    version="v1",
    kind="Deployment",
    plural="deployments",
    definition="io.k8s.api.apps.v1.Deployment",
    singular="deployment",
    strategy=DeploymentStrategy(),
    short_names=("deploy",),
    categories=("all",),
    status=True,
    scale=Scale(),
    columns=(
        workload.READY,
        workload.count(
            "Up-to-date", "status", "updatedReplicas", description="Pods that have the newest template", type="string"
        ),
        workload.count(
            "Available", "status", "availableReplicas", description="Pods ready for long enough", type="string"
        ),
        *workload.COLUMNS,
    ),
)
