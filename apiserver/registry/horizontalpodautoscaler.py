"""HorizontalPodAutoscaler: scales something by what its pods use. Kept in this version, `autoscaling/v2`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.field import FieldError
from apiserver.registry import autoscaling_rules, rules
from apiserver.registry.columns import NONE, UNKNOWN, UNSET
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

_SHOWN = 2
_CPU = 80
"""The share of what its pods ask for, in percent, at which something is scaled that says nothing."""
_UP: Object = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_DOWN: Object = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


class HorizontalPodAutoscalerStrategy(StatusStrategy):
    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        if spec.get("minReplicas") is None:
            spec["minReplicas"] = 1
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": _CPU}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        behavior = spec.get("behavior")
        if behavior is not None:
            behavior["scaleUp"] = _with_rules(behavior.get("scaleUp"), _UP)
            behavior["scaleDown"] = _with_rules(behavior.get("scaleDown"), _DOWN)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"currentMetrics": None, "desiredReplicas": 0}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        return autoscaling_rules.spec(obj["spec"], "spec")

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return autoscaling_rules.spec(new["spec"], "spec", to_zero=old["spec"].get("minReplicas") == 0)

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return rules.not_negative(new.get("status") or {}, ("currentReplicas", "desiredReplicas"), "status")


def _with_rules(given: Object | None, default: Object) -> Object:
    """The rules that are given, and for what they leave open the default ones."""
    stated = {name: value for name, value in (given or {}).items() if value is not None}
    copied = {name: [dict(each) for each in value] if name == "policies" else value for name, value in default.items()}
    return {**copied, **stated}


def _targets(obj: Object, now: datetime) -> str:
    metrics = (obj.get("spec") or {}).get("metrics") or []
    current = (obj.get("status") or {}).get("currentMetrics") or []
    shown = [_target(each, current[n] if n < len(current) else {}) for n, each in enumerate(metrics)]
    if len(shown) > _SHOWN:
        return f"{', '.join(shown[:_SHOWN])} + {len(shown) - _SHOWN} more..."
    return ", ".join(shown) or NONE


def _target(metric: Object, measured: Object) -> str:
    """What a metric is now and should be: `cpu: 12%/80%`, `3/10`, `3/10 (avg)`."""
    kind = metric.get("type") or ""
    field = kind[:1].lower() + kind[1:]
    source = metric.get(field)
    if not source:
        return "<unknown type>"
    target, current = source.get("target") or {}, (measured.get(field) or {}).get("current") or {}
    average, now = target.get("averageValue"), current.get("averageValue") or UNKNOWN
    if field in ("resource", "containerResource"):
        if average is None:
            average, now = _percent(target, "<auto>"), _percent(current, UNKNOWN)
        return f"{source.get('name') or ''}: {now}/{average}"
    if field == "pods":
        return f"{now}/{average}"
    if average is not None:
        return f"{now}/{average} (avg)"
    return f"{current.get('value') or UNKNOWN}/{target.get('value')}"


def _percent(of: Object, otherwise: str) -> str:
    value = of.get("averageUtilization")
    return otherwise if value is None else f"{value}%"


def _reference(obj: Object, now: datetime) -> str:
    target = (obj.get("spec") or {}).get("scaleTargetRef") or {}
    return f"{target.get('kind') or ''}/{target.get('name') or ''}"


def _least(obj: Object, now: datetime) -> str:
    least = (obj.get("spec") or {}).get("minReplicas")
    return UNSET if least is None else str(least)


def _most(obj: Object, now: datetime) -> Any:
    return (obj.get("spec") or {}).get("maxReplicas") or 0


def _replicas(obj: Object, now: datetime) -> Any:
    return (obj.get("status") or {}).get("currentReplicas") or 0


KIND = Kind(
    group="autoscaling",
    version="v2",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    definition="io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    singular="horizontalpodautoscaler",
    strategy=HorizontalPodAutoscalerStrategy(),
    short_names=("hpa",),
    categories=("all",),
    status=True,
    columns=(
        Column("Reference", _reference, description="What it scales"),
        Column("Targets", _targets, description="Its metrics: what they are, and what they should be"),
        Column("MinPods", _least, description="The fewest pods"),
        Column("MaxPods", _most, type="string", description="The most pods"),
        Column("Replicas", _replicas, type="string", description="How many pods there are"),
    ),
)
