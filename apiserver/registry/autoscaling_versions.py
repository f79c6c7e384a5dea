"""The two versions of HorizontalPodAutoscaler: `v2` is kept, `v1` knows one metric only and carries the rest along.

What `v1` has no field for is in annotations there, so that a client of it changes what it knows and loses nothing:
the other metrics and all measured ones in the older form of metrics, the behavior under the names of the Go fields,
the conditions as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from api import schema as schemas
from api.errors import BadRequest
from apiserver.registry.conversion import between
from apiserver.registry.kind import Object

OLD, NEW = "autoscaling/v1", "autoscaling/v2"
_DEFINITION = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"
_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT = f"{_PREFIX}metrics", f"{_PREFIX}current-metrics"
_BEHAVIOR, _CONDITIONS = f"{_PREFIX}behavior", f"{_PREFIX}conditions"
_CARRIED = (
    _METRICS,
    _CURRENT,
    _BEHAVIOR,
    _CONDITIONS,
    f"{_PREFIX}scale-up-tolerance",
    f"{_PREFIX}scale-down-tolerance",
)
_SPEC, _STATUS = ("scaleTargetRef", "minReplicas", "maxReplicas"), ("observedGeneration", "lastScaleTime")
_COUNTS = ("currentReplicas", "desiredReplicas")
_GO_RULES = {
    "StabilizationWindowSeconds": "stabilizationWindowSeconds",
    "SelectPolicy": "selectPolicy",
    "Policies": "policies",
    "Tolerance": "tolerance",
}
_GO_POLICY = {"Type": "type", "Value": "value", "PeriodSeconds": "periodSeconds"}
_GO_BEHAVIOR = {"ScaleUp": "scaleUp", "ScaleDown": "scaleDown"}


def to_v1(obj: Object) -> Object:
    """An autoscaler of `v2` as `v1` shows it; what is inside may be shared."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    metrics, current = spec.get("metrics") or [], status.get("currentMetrics") or []
    own: Object = {name: spec[name] for name in _SPEC if name in spec}
    known = next((each for each in metrics if _cpu_share(each, "target") is not None), None)
    if known is not None:
        own["targetCPUUtilizationPercentage"] = _cpu_share(known, "target")
    carried: dict[str, Any] = {_METRICS: [_old_metric(each) for each in metrics if each is not known]}
    said: Object = {name: status[name] for name in _STATUS if status.get(name) is not None}
    said |= {name: status.get(name) or 0 for name in _COUNTS}
    for metric in current:
        if (share := _cpu_share(metric, "current")) is not None:
            said["currentCPUUtilizationPercentage"] = share
    carried[_CURRENT] = [_old_measure(each) for each in current]
    carried[_CONDITIONS] = status.get("conditions") or []
    if spec.get("behavior") is not None:
        carried[_BEHAVIOR] = _go_behavior(spec["behavior"])
    texts = {name: orjson.dumps(value).decode() for name, value in carried.items() if value}
    return {**obj, "apiVersion": OLD, "metadata": _annotated(obj, texts), "spec": own, "status": said}


def to_v2(obj: Object) -> Object:
    """An autoscaler of `v1` as `v2` shows it; what is inside may be shared. Raises BadRequest."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    made: Object = {name: spec[name] for name in _SPEC if name in spec}
    metrics = [_new_metric(each) for each in _carried(obj, _METRICS)]
    if (share := spec.get("targetCPUUtilizationPercentage")) is not None:
        target = {"type": "Utilization", "averageUtilization": share}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        made["metrics"] = metrics
    for behavior in _carried(obj, _BEHAVIOR):
        made["behavior"] = _behavior(behavior)
    said: Object = {name: status[name] for name in (*_STATUS, *_COUNTS) if status.get(name) is not None}
    said.setdefault("desiredReplicas", 0)
    said["currentMetrics"] = [_new_measure(each) for each in _carried(obj, _CURRENT)] or None
    if (share := status.get("currentCPUUtilizationPercentage")) is not None and not said["currentMetrics"]:
        said["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": {}}}]
        said["currentMetrics"][0]["resource"]["current"]["averageUtilization"] = share
    if conditions := _carried(obj, _CONDITIONS):
        said["conditions"] = conditions
    new = {**obj, "apiVersion": NEW, "metadata": _annotated(obj, {}), "spec": made, "status": said}
    if problem := schemas.type_error(schemas.load(_DEFINITION), "HorizontalPodAutoscaler", "v1", new):
        raise BadRequest(problem)
    return new


def _annotated(obj: Object, texts: dict[str, str]) -> Object:
    """The metadata with these carried annotations and no others."""
    meta: Object = dict(obj.get("metadata") or {})
    kept = {name: text for name, text in (meta.get("annotations") or {}).items() if name not in _CARRIED}
    if kept or texts:
        meta["annotations"] = kept | texts
    else:
        meta.pop("annotations", None)
    return meta


def _carried(obj: Object, name: str) -> list[Object]:
    """The objects in an annotation. Raises BadRequest for a text that is no JSON."""
    text = ((obj.get("metadata") or {}).get("annotations") or {}).get(name)
    if not text:
        return []
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        why = f"metadata.annotations[{name}]: {error}"
        head = 'HorizontalPodAutoscaler in version "v1" cannot be handled as a HorizontalPodAutoscaler'
        raise BadRequest(f"{head}: {why}") from error
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def _cpu_share(metric: Object, part: str) -> Any:
    """The share of a metric that `v1` has a field for."""
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    return (resource.get(part) or {}).get("averageUtilization")


def _picked(pairs: Iterable[tuple[str, Any]]) -> Object:
    return {name: value for name, value in pairs if value is not None}


def _old_metric(metric: Object) -> Object:
    return _each_source(metric, lambda field, source: _old_source(field, source, "target"))


def _old_measure(metric: Object) -> Object:
    return _each_source(metric, lambda field, source: _old_source(field, source, "current"))


def _new_metric(metric: Object) -> Object:
    return _each_source(metric, lambda field, source: _new_source(field, source, "target"))


def _new_measure(metric: Object) -> Object:
    return _each_source(metric, lambda field, source: _new_source(field, source, "current"))


def _each_source(metric: Object, change: Callable[[str, Object], Object]) -> Object:
    sources = {field: value for field, value in metric.items() if field in _SHAPES and isinstance(value, dict)}
    return {"type": metric.get("type") or "", **{field: change(field, value) for field, value in sources.items()}}


_SHAPES: dict[str, tuple[str, str, str]] = {
    "object": ("{}Value", "averageValue", "selector"),
    "pods": ("", "{}AverageValue", "selector"),
    "resource": ("", "{}AverageValue", ""),
    "containerResource": ("", "{}AverageValue", ""),
    "external": ("{}Value", "{}AverageValue", "metricSelector"),
}
"""What the older form calls value, average value and selector (`{}` is target or current)."""


def _old_source(field: str, source: Object, part: str) -> Object:
    value_name, average_name, selector_name = _SHAPES[field]
    amounts, metric = source.get(part) or {}, source.get("metric") or {}
    pairs = [("name", source.get("name")), ("container", source.get("container"))]
    if field == "object":
        pairs.append(("target", source.get("describedObject") or {}))
    if selector_name:
        pairs += [("metricName", metric.get("name") or ""), (selector_name, metric.get("selector"))]
    if value_name:
        pairs.append((value_name.format(part), amounts.get("value")))
    pairs.append((average_name.format(part), amounts.get("averageValue")))
    pairs.append((f"{part}AverageUtilization", amounts.get("averageUtilization")))
    return _picked(pairs)


def _new_source(field: str, source: Object, part: str) -> Object:
    value_name, average_name, selector_name = _SHAPES[field]
    amounts = {
        "value": source.get(value_name.format(part)) if value_name else None,
        "averageValue": source.get(average_name.format(part)),
        "averageUtilization": source.get(f"{part}AverageUtilization"),
    }
    made = _picked([("name", source.get("name")), ("container", source.get("container"))])
    if field == "object":
        made["describedObject"] = source.get("target") or {}
    if selector_name:
        made["metric"] = _picked([("name", source.get("metricName") or ""), ("selector", source.get(selector_name))])
    kind = {"type": _target_type(amounts)} if part == "target" else {}
    made[part] = kind | _picked(amounts.items())
    return made


def _target_type(amounts: dict[str, Any]) -> str:
    if amounts["averageUtilization"] is not None:
        return "Utilization"
    return "Value" if amounts["averageValue"] is None else "AverageValue"


def _go_behavior(behavior: Object) -> Object:
    """The behavior with the names of the Go fields, all of them there."""
    return {go: _go_rules(behavior.get(name)) for go, name in _GO_BEHAVIOR.items()}


def _go_rules(rules: Object | None) -> Object | None:
    if rules is None:
        return None
    made: Object = {go: rules.get(name) for go, name in _GO_RULES.items()}
    if made["Policies"] is not None:
        made["Policies"] = [{go: policy.get(name) for go, name in _GO_POLICY.items()} for policy in made["Policies"]]
    return made


def _behavior(go: Object) -> Object:
    found = _renamed(go, _GO_BEHAVIOR)
    made: Object = {}
    for direction, rules in found.items():
        if isinstance(rules, dict):
            made[direction] = _renamed(rules, _GO_RULES)
            policies = made[direction].get("policies")
            if isinstance(policies, list):
                found_policies = [_renamed(policy, _GO_POLICY) for policy in policies if isinstance(policy, dict)]
                made[direction]["policies"] = found_policies
    return made


def _renamed(go: Object, names: dict[str, str]) -> Object:
    """Go reads a field's name in any case."""
    lower = {each.lower(): name for each, name in names.items()}
    return {lower[key.lower()]: value for key, value in go.items() if key.lower() in lower and value is not None}


CONVERT = between(NEW, to_v1, to_v2)
