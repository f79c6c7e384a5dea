"""What a pod asks for as a whole, beside what its containers ask for."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from api import quantity
from api.field import FieldError, forbidden, invalid
from apiserver.registry import resources
from apiserver.registry.kind import Object


def validate(whole: Object, spec: Object, at: str) -> list[FieldError]:
    if whole.get("claims"):
        return [forbidden(f"{at}.claims", "claims cannot be set for Resources at pod-level")]
    errors = resources.requirements(whole, at, (), pod_level=True)
    total = container_requests(spec)
    for name, amount in (whole.get("requests") or {}).items():
        needed = total.get(name)
        if needed is not None and _amount(needed) > _amount(amount):
            text = f"must be greater than or equal to aggregate container requests of {needed}"
            errors.append(invalid(f"{at}.requests[{name}]", quantity.canonical(amount), text))
    return errors + _container_limits(whole.get("limits") or {}, spec, at.removesuffix(".resources"))


def _container_limits(most: Mapping[str, Any], spec: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            for name, amount in ((container.get("resources") or {}).get("limits") or {}).items():
                if name in most and _amount(amount) > _amount(most[name]):
                    where = f"{at}.{field}[{index}].resources.limits[{name}]"
                    text = f"must be less than or equal to pod limits of {quantity.canonical(most[name])}"
                    errors.append(invalid(where, quantity.canonical(amount), text))
    return errors


def default_requests(spec: Object) -> None:
    """A pod with limits of its own asks for what its containers ask for, or else for its limits."""
    whole = spec.get("resources")
    limits = whole.get("limits") if whole else None
    if not whole or not limits:
        return
    requests = whole["requests"] = dict(whole.get("requests") or {})
    for name, amount in container_requests(spec).items():
        if name not in requests and name in ("cpu", "memory"):
            requests[name] = amount
    for name, amount in limits.items():
        requests.setdefault(name, amount)


def container_requests(spec: Object) -> dict[str, str]:
    """What the containers ask for together: those that stay add up, the others run one by one before them."""
    staying: dict[str, str] = {}
    highest: dict[str, str] = {}
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            staying = _sum(staying, _requests(container))
            highest = _most(highest, staying)
        else:
            highest = _most(highest, _sum(staying, _requests(container)))
    for container in spec.get("containers") or ():
        staying = _sum(staying, _requests(container))
    return _most(staying, highest)


def _requests(container: Object) -> dict[str, str]:
    """The readable ones; what is wrong with the others is said where they stand."""
    asked = (container.get("resources") or {}).get("requests") or {}
    return {name: amount for name, amount in asked.items() if _amount(amount)}


def _sum(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    total = dict(one)
    for name, amount in other.items():
        total[name] = quantity.plus(total[name], amount) if name in total else amount
    return total


def _most(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    larger = {name: amount for name, amount in other.items() if _amount(amount) > _amount(one.get(name))}
    return {**one, **larger}


def _amount(value: Any) -> Fraction:
    try:
        return quantity.parse(value) if value is not None else Fraction(0)
    except quantity.QuantityError:
        return Fraction(0)  # said where the amount itself is checked
