"""LimitRange: how much a container, a pod or a claim of a namespace may ask for, and what it gets that does not say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from api import names, quantity
from api.field import FieldError, duplicate, forbidden, invalid, required
from apiserver.registry import resources
from apiserver.registry.columns import CREATED_AT, NAME
from apiserver.registry.kind import Context, Kind, Object, Strategy

_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_LISTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_NOT_FOR_PODS = ("default", "defaultRequest")

_ORDERED = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "max", "default value {} is greater than max value {}"),
)
"""What may not be more than what, the amount that the error shows, and its words. The field is the one that is neither
minimum nor maximum, if there is one.
"""


class LimitRangeStrategy(Strategy):
    allow_create_on_update = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        for limit in obj["spec"].setdefault("limits", None) or ():
            for field in _LISTS:
                resources.default_list(limit.get(field))
            if limit.get("type") == "Container":
                _default_container(limit)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors: list[FieldError] = []
        limits = obj["spec"].get("limits") or []
        for index, limit in enumerate(limits):
            at, kind = f"spec.limits[{index}]", limit.get("type") or ""
            errors += _type(kind, f"{at}.type")
            if any((other.get("type") or "") == kind for other in limits[:index]):
                errors.append(duplicate(f"{at}.type", kind))
            errors += _limit(limit, kind, at)
        return errors


def _default_container(limit: Object) -> None:
    """A container that does not say gets the most as its limit, and its limit or the least as its request."""
    given = limit.get("default") or {}
    limit["default"] = {**(limit.get("max") or {}), **given}
    asked = limit.get("defaultRequest") or {}
    limit["defaultRequest"] = {**(limit.get("min") or {}), **limit["default"], **asked}
    for field in _NOT_FOR_PODS:
        if not limit[field]:
            del limit[field]


def _type(kind: str, at: str) -> list[FieldError]:
    if wrong := names.qualified_name(kind):
        return [invalid(at, kind, why) for why in wrong]
    if "/" in kind or kind in _TYPES:
        return []
    return [invalid(at, kind, "must be a standard limit type or fully qualified")]


def _limit(limit: Object, kind: str, at: str) -> list[FieldError]:
    name_errors = resources.container_name_errors if kind in ("Pod", "Container") else resources.name_errors
    amounts: dict[str, dict[str, Fraction]] = {}
    errors = _amounts(limit, ("max", "min"), amounts, name_errors, at)
    if kind == "Pod":
        text = "may not be specified when `type` is 'Pod'"
        errors += [forbidden(f"{at}.{field}", text) for field in _NOT_FOR_PODS if limit.get(field)]
    else:
        errors += _amounts(limit, _NOT_FOR_PODS, amounts, name_errors, at)
    if kind == "PersistentVolumeClaim" and not any("storage" in (limit.get(field) or {}) for field in ("min", "max")):
        text = "either minimum or maximum storage value is required, but neither was provided"
        errors.append(required(f"{at}.limits", text))
    errors += _amounts(limit, ("maxLimitRequestRatio",), amounts, name_errors, at)
    for resource in sorted({name for found in amounts.values() for name in found}):
        here = {field: found[resource] for field, found in amounts.items() if resource in found}
        errors += _one(here, limit, resource, at)
    return errors


def _amounts(
    limit: Object,
    fields: tuple[str, ...],
    amounts: dict[str, dict[str, Fraction]],
    name_errors: Callable[[str, str], list[FieldError]],
    at: str,
) -> list[FieldError]:
    """What is wrong with the lists by themselves; their readable amounts go into `amounts`."""
    errors: list[FieldError] = []
    for field in fields:
        for name, amount in (limit.get(field) or {}).items():
            here = f"{at}.{field}[{name}]"
            errors += name_errors(name, here)
            try:
                amounts.setdefault(field, {})[name] = quantity.parse(amount)
            except quantity.QuantityError as error:
                errors.append(invalid(here, amount, str(error)))
    return errors


def _one(amounts: Mapping[str, Fraction], limit: Object, resource: str, at: str) -> list[FieldError]:
    """What is wrong with the amounts of one resource, taken together."""

    def shown(field: str) -> Any:
        return quantity.canonical(limit[field][resource])

    errors: list[FieldError] = []
    for low, high, blamed, text in _ORDERED:
        if low in amounts and high in amounts and amounts[low] > amounts[high]:
            field = next((each for each in (low, high) if each not in ("min", "max")), low)
            errors.append(invalid(f"{at}.{field}[{resource}]", shown(blamed), text.format(shown(low), shown(high))))
    errors += _ratio(amounts, shown, f"{at}.maxLimitRequestRatio[{resource}]")
    both = all(field in amounts for field in _NOT_FOR_PODS)
    if both and not resources.overcommits(resource) and amounts["default"] != amounts["defaultRequest"]:
        text = f"default value {shown('default')} must equal to defaultRequest value {shown('defaultRequest')}"
        where = f"{at}.defaultRequest[{resource}]"
        errors.append(invalid(where, shown("defaultRequest"), f"{text} in {resource}"))
    return errors


def _ratio(amounts: Mapping[str, Fraction], shown: Callable[[str], Any], at: str) -> list[FieldError]:
    ratio, low, high = (amounts.get(field) for field in ("maxLimitRequestRatio", "min", "max"))
    if ratio is None:
        return []
    value = shown("maxLimitRequestRatio")
    errors = [invalid(at, value, f"ratio {value} is less than 1")] if ratio < 1 else []
    if low and high is not None and ratio > high / low:
        errors.append(invalid(at, value, f"ratio {value} is greater than max/min = {float(high / low):f}"))
    return errors


KIND = Kind(
    group="",
    version="v1",
    kind="LimitRange",
    plural="limitranges",
    definition="io.k8s.api.core.v1.LimitRange",
    singular="limitrange",
    strategy=LimitRangeStrategy(),
    short_names=("limits",),
    table="plain",
    columns=(NAME, CREATED_AT),
)
