"""What is wrong with a HorizontalPodAutoscaler's spec, in the form of `autoscaling/v2`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api import names, quantity
from api.field import FieldError, forbidden, invalid, not_supported, required
from apiserver.registry import resources, rules
from apiserver.registry.kind import Object

_SELECT = ("Disabled", "Max", "Min")
_SCALING = ("Percent", "Pods")
_TARGETS = ("Utilization", "Value", "AverageValue")
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800


def spec(value: Object, at: str, *, to_zero: bool = False) -> list[FieldError]:
    """`to_zero`: it was allowed to scale to nothing before."""
    least, most = value.get("minReplicas"), value.get("maxReplicas") or 0
    lowest = 0 if to_zero else 1
    errors: list[FieldError] = []
    if least is not None and least < lowest:
        errors.append(invalid(f"{at}.minReplicas", least, f"must be greater than or equal to {lowest}"))
    if most < 1:
        errors.append(invalid(f"{at}.maxReplicas", most, "must be greater than 0"))
    if least is not None and most < least:
        errors.append(invalid(f"{at}.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    errors += _reference(value.get("scaleTargetRef") or {}, f"{at}.scaleTargetRef")
    metrics = value.get("metrics") or []
    for index, metric in enumerate(metrics):
        errors += _metric(metric, f"{at}.metrics[{index}]")
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        text = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.append(forbidden(f"{at}.metrics", text))
    for direction in ("scaleUp", "scaleDown"):
        given = (value.get("behavior") or {}).get(direction)
        if given is not None:
            errors += _scaling(given, f"{at}.behavior.{direction}")
    return errors


def _reference(reference: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for field in ("kind", "name"):
        value = reference.get(field)
        errors += rules.each(names.path_segment, value, f"{at}.{field}") if value else [required(f"{at}.{field}")]
    return errors


def _scaling(given: Object, at: str) -> list[FieldError]:
    window, select = given.get("stabilizationWindowSeconds"), given.get("selectPolicy")
    errors: list[FieldError] = []
    if window is not None and window < 0:
        text = "must be greater than or equal to zero"
        errors.append(invalid(f"{at}.stabilizationWindowSeconds", window, text))
    if window is not None and window > _LONGEST_WINDOW:
        text = f"must be less than or equal to {_LONGEST_WINDOW}"
        errors.append(invalid(f"{at}.stabilizationWindowSeconds", window, text))
    if select is not None and select not in _SELECT:
        errors.append(not_supported(f"{at}.selectPolicy", select, _SELECT))
    policies = given.get("policies") or []
    if not policies:
        errors.append(required(f"{at}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(policies):
        errors += _policy(policy, f"{at}.policies[{index}]")
    if (tolerance := given.get("tolerance")) is not None and _amount(tolerance) < 0:
        errors.append(invalid(f"{at}.tolerance", tolerance, rules.NOT_NEGATIVE))
    return errors


def _policy(policy: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    kind, period = policy.get("type") or "", policy.get("periodSeconds") or 0
    if kind not in _SCALING:
        errors.append(not_supported(f"{at}.type", kind, _SCALING))
    for field in ("value", "periodSeconds"):
        if (policy.get(field) or 0) <= 0:
            errors.append(invalid(f"{at}.{field}", policy.get(field) or 0, "must be greater than zero"))
    if period > _LONGEST_PERIOD:
        errors.append(invalid(f"{at}.periodSeconds", period, f"must be less than or equal to {_LONGEST_PERIOD}"))
    return errors


def _metric(metric: Object, at: str) -> list[FieldError]:
    kind = metric.get("type") or ""
    errors: list[FieldError] = []
    if not kind:
        errors.append(required(f"{at}.type", "must specify a metric source type"))
    if kind not in _KINDS:
        errors.append(not_supported(f"{at}.type", kind, sorted(_KINDS)))
    given = [field for field in _SOURCES if metric.get(field) is not None]
    if given:
        errors += _SOURCES[given[0]](metric[given[0]], f"{at}.{given[0]}")
    expected = _KINDS.get(kind)
    if expected and expected not in given:
        errors.append(required(f"{at}.{expected}", "must populate information for the given metric source"))
    if len(given) > 1:
        others = (field for field in given if field != expected)
        errors += [forbidden(f"{at}.{field}", "must populate the given metric source only") for field in others]
    return errors


def _object(source: Object, at: str) -> list[FieldError]:
    errors = _reference(source.get("describedObject") or {}, f"{at}.describedObject")
    errors += _identifier(source, at) + _target(source, at)
    if not _has(source, "value") and not _has(source, "averageValue"):
        errors.append(required(f"{at}.target.averageValue", "must set either a target value or averageValue"))
    return errors


def _external(source: Object, at: str) -> list[FieldError]:
    errors = _identifier(source, at) + _target(source, at)
    if not _has(source, "value") and not _has(source, "averageValue"):
        text = "must set either a target value for metric or a per-pod target"
        errors.append(required(f"{at}.target.averageValue", text))
    if _has(source, "value") and _has(source, "averageValue"):
        text = "may not set both a target value for metric and a per-pod target"
        errors.append(forbidden(f"{at}.target.value", text))
    return errors


def _pods(source: Object, at: str) -> list[FieldError]:
    errors = _identifier(source, at) + _target(source, at)
    if not _has(source, "averageValue"):
        errors.append(required(f"{at}.target.averageValue", "must specify a positive target averageValue"))
    return errors


def _resource(source: Object, at: str) -> list[FieldError]:
    errors = [] if source.get("name") else [required(f"{at}.name", "must specify a resource name")]
    return errors + _share(source, at)


def _container_resource(source: Object, at: str) -> list[FieldError]:
    name, container = source.get("name"), source.get("container")
    errors: list[FieldError] = []
    if name:
        errors += resources.container_name_errors(name, f"{at}.name")
    else:
        errors.append(required(f"{at}.name", "must specify a resource name"))
    if container:
        errors += rules.each(names.dns1123_label, container, f"{at}.container")
    else:
        errors.append(required(f"{at}.container", "must specify a container"))
    return errors + _share(source, at)


def _share(source: Object, at: str) -> list[FieldError]:
    """The target of a resource: a share of what the pods ask for, or an amount."""
    errors = _target(source, at)
    share, amount = _has(source, "averageUtilization"), _has(source, "averageValue")
    if not share and not amount:
        text = "must set either a target raw value or a target utilization"
        errors.append(required(f"{at}.target.averageUtilization", text))
    if share and amount:
        text = "may not set both a target raw value and a target utilization"
        errors.append(forbidden(f"{at}.target.averageValue", text))
    return errors


def _has(source: Object, field: str) -> bool:
    return (source.get("target") or {}).get(field) is not None


def _identifier(source: Object, at: str) -> list[FieldError]:
    name = (source.get("metric") or {}).get("name")
    if not name:
        return [required(f"{at}.metric.name", "must specify a metric name")]
    return rules.each(names.path_segment, name, f"{at}.metric.name")


def _target(source: Object, at: str) -> list[FieldError]:
    target, at = source.get("target") or {}, f"{at}.target"
    kind, share = target.get("type") or "", target.get("averageUtilization")
    errors = [] if kind else [required(f"{at}.type", "must specify a metric target type")]
    if kind not in _TARGETS:
        errors.append(invalid(f"{at}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for field in ("value", "averageValue"):
        if (amount := target.get(field)) is not None and _amount(amount) <= 0:
            errors.append(invalid(f"{at}.{field}", amount, "must be positive"))
    if share is not None and share < 1:
        errors.append(invalid(f"{at}.averageUtilization", share, "must be greater than 0"))
    return errors


def _amount(value: Any) -> Any:
    try:
        return quantity.parse(value)
    except quantity.QuantityError:
        return -1


_SOURCES: dict[str, Callable[[Object, str], list[FieldError]]] = {
    "object": _object,
    "external": _external,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _container_resource,
}
_KINDS = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "External": "external",
    "ContainerResource": "containerResource",
}
