"""DaemonSet: a pod on every node, or on every node of a kind."""

from __future__ import annotations

from datetime import datetime

from api import intstr
from api.field import FieldError, invalid, not_supported, required
from api.selectors import LabelSelector, SelectorError
from apiserver.registry import rules, workload
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Kind, Object
from apiserver.registry.podspec import validation

GENERATION = "deprecated.daemonset.template.generation"
"""Counts the changes of the template; clients of the oldest version of the API still read it."""

_REQUIRED_STATUS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
_STATUS = (
    *_REQUIRED_STATUS,
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
)
_TYPES = ("RollingUpdate", "OnDelete")


class DaemonSetStrategy(workload.WorkloadStrategy):
    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10
        strategy = spec["updateStrategy"] = spec.get("updateStrategy") or {}
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
            for name, value in (("maxUnavailable", 1), ("maxSurge", 0)):
                if rolling.get(name) is None:
                    rolling[name] = value
        workload.default_template(spec)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = dict.fromkeys(_REQUIRED_STATUS, 0)
        _set_generation(obj, max(_generation(obj), 1))

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_for_update(new, old, ctx)
        changed = not rules.same(new["spec"]["template"], old["spec"]["template"])
        _set_generation(new, _generation(old) + changed)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        errors = _selector(spec)
        errors += validation.template(spec["template"], "spec.template")
        errors += workload.runs_forever(spec["template"], "DaemonSet")
        errors += rules.not_negative(spec, ("minReadySeconds",), "spec")
        errors += _update_strategy(spec["updateStrategy"], "spec.updateStrategy")
        return errors + rules.not_negative(spec, ("revisionHistoryLimit",), "spec")

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        status = new.get("status") or {}
        errors = rules.not_negative(status, _STATUS, "status")
        return errors + rules.not_less(status, old.get("status") or {}, "collisionCount", "status")


def _generation(obj: Object) -> int:
    text = (obj["metadata"].get("annotations") or {}).get(GENERATION) or ""
    return int(text) if text.isascii() and text.isdigit() else 0


def _set_generation(obj: Object, number: int) -> None:
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), GENERATION: str(number)}


def _selector(spec: Object) -> list[FieldError]:
    selector = spec.get("selector")
    errors = rules.label_selector(selector, "spec.selector")
    labels = spec["template"]["metadata"].get("labels") or {}
    try:
        if not LabelSelector.of(selector).matches(labels):
            errors.append(invalid("spec.template.metadata.labels", labels, workload.MISMATCH))
    except SelectorError:
        pass  # what is wrong with it has been said
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.append(invalid("spec.selector", selector, "empty selector is invalid for daemonset"))
    return errors


def _update_strategy(strategy: Object, at: str) -> list[FieldError]:
    if strategy["type"] not in _TYPES:
        return [not_supported(at, strategy, _TYPES)]
    if strategy["type"] == "OnDelete":
        return []
    rolling, at = strategy["rollingUpdate"], f"{at}.rollingUpdate"
    unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
    errors = rules.count_or_percent(unavailable, f"{at}.maxUnavailable")
    errors += rules.count_or_percent(surge, f"{at}.maxSurge")
    errors += rules.at_most_all(unavailable, f"{at}.maxUnavailable")
    errors += rules.at_most_all(surge, f"{at}.maxSurge")
    if intstr.amount(unavailable) and intstr.amount(surge):
        errors.append(invalid(f"{at}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    elif not intstr.amount(unavailable) and not intstr.amount(surge):
        errors.append(required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return errors


def _node_selector(obj: Object, now: datetime) -> str:
    pod = ((obj.get("spec") or {}).get("template") or {}).get("spec") or {}
    return str(LabelSelector.of_map(pod.get("nodeSelector"))) or NONE


KIND = Kind(
    group="apps",
    version="v1",
    kind="DaemonSet",
    plural="daemonsets",
    definition="io.k8s.api.apps.v1.DaemonSet",
    singular="daemonset",
    strategy=DaemonSetStrategy(),
    short_names=("ds",),
    categories=("all",),
    status=True,
    columns=(
        workload.count("Desired", "status", "desiredNumberScheduled", description="Nodes that should run its pod"),
        workload.count("Current", "status", "currentNumberScheduled", description="Nodes that have its pod"),
        workload.count("Ready", "status", "numberReady", description="Nodes whose pod is ready"),
        workload.count("Up-to-date", "status", "updatedNumberScheduled", description="Nodes with the newest pod"),
        workload.count("Available", "status", "numberAvailable", description="Nodes whose pod is available"),
        Column("Node Selector", _node_selector, description="Which nodes run its pod"),
        *workload.COLUMNS,
    ),
)
