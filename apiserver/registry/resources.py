"""Amounts of CPU, memory and the rest: canonical form, validity, requests against limits, and the pod's QoS class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from api import names, quantity
from api.field import FieldError, duplicate, forbidden, invalid, not_found, not_supported, required
from apiserver.registry import rules
from apiserver.registry.kind import Object

_COMPUTE = ("cpu", "memory")
_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
_COUNTS = frozenset(
    {
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
_STANDARD = (
    _COUNTS
    | {"storage", "requests.storage"}
    | {f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in _CONTAINER}
)
_POD_LEVEL = ("cpu", "hugepages-", "memory")
_HUGE = "hugepages-"


@lru_cache(maxsize=8192)
def _canonical(amount: str | int | float) -> str:
    exact = quantity.parse(amount)
    if (exact * 1000).denominator != 1:
        # Finer than a thousandth is rounded up, as every amount of a resource list is.
        return quantity.canonical(f"{quantity.milli(amount)}m")
    return quantity.canonical(amount)


def canonical(amount: Any) -> Any:
    """The form in which an amount is kept; what cannot be read is left as it is, for validation to name."""
    try:
        return _canonical(amount)
    except (quantity.QuantityError, TypeError):
        return amount


def default_list(amounts: dict[str, Any] | None) -> None:
    """Bring every amount of a resource list into its canonical form."""
    if amounts:
        for name, amount in amounts.items():
            if amount is None:
                amounts[name] = "0"
            else:
                amounts[name] = canonical(amount)


def default_requests(container: Object) -> None:
    """Requests that are not given are the limits."""
    resources = container.get("resources")
    limits = resources.get("limits") if resources else None
    if resources and limits:
        requests = resources.get("requests")
        resources["requests"] = {**limits, **requests} if requests else dict(limits)


@lru_cache(maxsize=1024)
def _native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def extended(name: str) -> bool:
    if _native(name) or name.startswith("requests."):
        return False
    return not names.qualified_name(f"requests.{name}")


def overcommits(name: str) -> bool:
    """Whether more of it may be promised than there is, so that a request may be lower than its limit."""
    return _native(name) and not name.startswith(_HUGE)


def amount_errors(name: str, amount: Any, at: str) -> list[FieldError]:
    """An amount of a named resource: readable, not negative, and whole where only whole ones make sense."""
    try:
        exact = quantity.parse(amount)
    except quantity.QuantityError as error:
        return [invalid(at, amount, str(error))]
    errors: list[FieldError] = []
    if exact < 0:
        errors.append(invalid(at, quantity.canonical(amount), rules.NOT_NEGATIVE))
    if exact.denominator != 1 and (name in _COUNTS or extended(name)):
        errors.append(invalid(at, quantity.canonical(amount), "must be an integer"))
    return errors


@lru_cache(maxsize=1024)
def _wrong_names(name: str) -> tuple[str, ...]:
    wrong = tuple(names.qualified_name(name))
    if wrong or "/" in name or name in _STANDARD or name.startswith((_HUGE, f"requests.{_HUGE}")):
        return wrong
    return ("must be a standard resource type or fully qualified",)


@lru_cache(maxsize=1024)
def _wrong_names_for_containers(name: str) -> tuple[str, ...]:
    if name in _CONTAINER:
        return ()
    wrong = _wrong_names(name)
    if "/" not in name:
        return wrong if name.startswith(_HUGE) else (*wrong, "must be a standard resource for containers")
    return wrong if _native(name) or extended(name) else (*wrong, "doesn't follow extended resource name standard")


def name_errors(name: str, at: str) -> list[FieldError]:
    """A resource that something is counted in: a standard one, or one of somebody's domain."""
    return [invalid(at, name, why) for why in _wrong_names(name)]


def container_name_errors(name: str, at: str) -> list[FieldError]:
    """A resource that a container may ask for."""
    return [invalid(at, name, why) for why in _wrong_names_for_containers(name)]


def standard_for_quota(name: str) -> bool:
    return (name in _STANDARD and name != "storage") or name.startswith((_HUGE, f"requests.{_HUGE}"))


def quota_list(amounts: Mapping[str, Any], at: str) -> list[FieldError]:
    """The amounts of a quota."""
    errors: list[FieldError] = []
    for name, amount in amounts.items():
        here = f"{at}[{name}]"
        errors += name_errors(name, here)
        if "/" not in name and not standard_for_quota(name):
            errors.append(invalid(here, name, "must be a standard resource for quota"))
        errors += amount_errors(name, amount, here)
    return errors


def _name_errors(name: str, at: str, pod_level: bool) -> list[FieldError]:
    if pod_level:
        if name in _COMPUTE or name.startswith(_HUGE):
            return []
        return [not_supported(at, name, _POD_LEVEL)]
    return container_name_errors(name, at)


def requirements(
    resources: Object | None, at: str, claims: Iterable[str], *, pod_level: bool = False
) -> list[FieldError]:
    """A container's (or a whole pod's) limits and requests, and the claims it uses."""
    if not resources:
        return []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    errors: list[FieldError] = []
    for name, amount in limits.items():
        errors += _entry(name, amount, f"{at}.limits[{name}]", pod_level)
    for name, amount in requests.items():
        found = _entry(name, amount, f"{at}.requests[{name}]", pod_level)
        errors += found or _against_limit(name, amount, limits, at)
    both = limits.keys() | requests.keys()
    if both and not both.intersection(_COMPUTE) and any(name.startswith(_HUGE) for name in both):
        errors.append(forbidden(at, "HugePages require cpu or memory"))
    if used := resources.get("claims"):
        errors += _claims(used, f"{at}.claims", set(claims))
    return errors


def _entry(name: str, amount: Any, at: str, pod_level: bool) -> list[FieldError]:
    errors = _name_errors(name, at, pod_level) + amount_errors(name, amount, at)
    return errors + _pages(name, amount, at) if name.startswith(_HUGE) and not errors else errors


def _pages(name: str, amount: Any, at: str) -> list[FieldError]:
    """Memory in huge pages comes in whole pages."""
    try:
        size = quantity.parse(name.removeprefix(_HUGE))
    except quantity.QuantityError:
        return []
    if size <= 0 or (quantity.parse(amount) / size).denominator == 1:
        return []
    shown = quantity.canonical(amount)
    return [invalid(at, shown, f"{shown} is not positive integer multiple of {name}")]


def _against_limit(name: str, amount: Any, limits: Mapping[str, Any], at: str) -> list[FieldError]:
    if name not in limits:
        if overcommits(name):
            return []
        return [required(f"{at}.limits", "Limit must be set for non overcommitable resources")]
    try:
        asked, limit = quantity.parse(amount), quantity.parse(limits[name])
    except quantity.QuantityError:
        return []  # the limit has an error of its own
    shown, most = quantity.canonical(amount), quantity.canonical(limits[name])
    if asked != limit and not overcommits(name):
        return [invalid(f"{at}.requests", shown, f"must be equal to {name} limit of {most}")]
    if asked > limit:
        return [invalid(f"{at}.requests", shown, f"must be less than or equal to {name} limit of {most}")]
    return []


def _claims(used: list[Object], at: str, known: set[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, claim in enumerate(used):
        name = claim.get("name") or ""
        if not name:
            errors.append(required(f"{at}[{index}]"))
            continue
        if any(other.get("name") == name for other in used[:index]):
            errors.append(duplicate(f"{at}[{index}]", name))
        if name not in known:
            which = f": {', '.join(sorted(known))}" if known else " which is empty"
            why = f"must be one of the names in pod.spec.resourceClaims{which}"
            errors.append(replace(not_found(f"{at}[{index}]", name), detail=why))
    return errors


def _amounts(pod_spec: Object, field: str) -> tuple[dict[str, Fraction], bool]:
    """(the sum of each compute resource over all containers, whether every container states all of them)."""
    total: dict[str, Fraction] = {}
    complete = True
    for container in (*(pod_spec.get("containers") or ()), *(pod_spec.get("initContainers") or ())):
        stated = (container.get("resources") or {}).get(field) or {}
        for name in _COMPUTE:
            amount = _readable(stated[name]) if name in stated else 0
            if amount > 0:
                total[name] = total.get(name, Fraction(0)) + amount
            else:
                complete = False
    return total, complete


def _readable(amount: Any) -> Fraction:
    try:
        return quantity.parse(amount) if amount is not None else Fraction(0)
    except quantity.QuantityError:
        return Fraction(0)


def qos_class(pod_spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort. Resources given for the pod as a whole decide, where there are any."""
    whole = pod_spec.get("resources")
    spec = (
        {"containers": [{"resources": whole}]} if whole and (whole.get("limits") or whole.get("requests")) else pod_spec
    )
    requests, _ = _amounts(spec, "requests")
    limits, all_limited = _amounts(spec, "limits")
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if all_limited and requests == limits else "Burstable"


def fractions(amounts: Object | None, at: str, counted: tuple[str, ...]) -> Iterator[str]:
    """Warnings of amounts that are taken, but not whole bytes, of the resources that are `counted` in bytes."""
    for name in counted:
        amount = (amounts or {}).get(name)
        if amount is not None and quantity.parse(amount).denominator != 1:
            text = f'fractional byte value "{quantity.canonical(amount)}" is invalid, must be an integer'
            yield f"{at}[{name}]: {text}"
