"""LimitRanges: what containers get that do not say what they need, and how much and how little they may ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from api import quantity
from api.field import aggregate_texts
from apiserver.registry import pod_usage
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State

ANNOTATION = "kubernetes.io/limit-ranger"
_LIMITED = ("pods", "persistentvolumeclaims")
Amounts = Mapping[str, str]


def _ranges(state: State, namespace: str) -> list[Object]:
    cache = state.resource("limitranges").cache
    return [entry.decode() for entry in cache.select(namespace, None)] if cache.entries else []


def _limits(limit_range: Object) -> list[Object]:
    return (limit_range.get("spec") or {}).get("limits") or []


async def default(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Fill in the requests and limits of a new pod's containers."""
    if obj is None or not attributes.creates("pods") or not isinstance(obj.get("spec"), dict):
        return
    for limit_range in _ranges(state, attributes.namespace):
        requests: dict[str, str] = {}
        limits: dict[str, str] = {}
        for limit in _limits(limit_range):
            if limit.get("type") == "Container":
                requests |= limit.get("defaultRequest") or {}
                limits |= limit.get("default") or {}
        if said := _fill(obj["spec"], requests, limits):
            meta = obj["metadata"]
            text = f"LimitRanger plugin set: {'; '.join(said)}"
            meta["annotations"] = {**(meta.get("annotations") or {}), ANNOTATION: text}


def _fill(spec: Object, requests: Amounts, limits: Amounts) -> list[str]:
    """What was set, in the annotation's words."""
    said: list[str] = []
    for field, called in (("containers", "container"), ("initContainers", "init container")):
        for container in spec.get(field) or ():
            for part, amounts in (("requests", requests), ("limits", limits)):
                if set_ := _fill_one(container, part, amounts):
                    said.append(f"{', '.join(set_)} {part[:-1]} for {called} {container.get('name') or ''}")
    return said


def _fill_one(container: Object, part: str, amounts: Amounts) -> list[str]:
    resources = container.get("resources")
    if resources is None:
        resources = container["resources"] = {}
    given = resources.get(part) or {}
    missing = sorted(set(amounts).difference(given))
    if missing:
        resources[part] = {**given, **{name: amounts[name] for name in missing}}
    return missing


async def check(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Refuse a pod or a claim that asks for more or less than the namespace lets it."""
    kind = attributes.resource.kind
    if obj is None or kind.group or kind.plural not in _LIMITED or attributes.operation not in ("create", "update"):
        return
    found: list[str] = []
    if attributes.creates("pods") or _resizes(attributes):
        for limit_range in _ranges(state, attributes.namespace):
            found += pod_problems(limit_range, obj["spec"])
    elif kind.plural == "persistentvolumeclaims" and not attributes.subresource:
        for limit_range in _ranges(state, attributes.namespace):
            found += claim_problems(limit_range, obj["spec"])
    if found:
        raise attributes.forbidden(aggregate_texts(found))


def _resizes(attributes: Attributes) -> bool:
    return attributes.subresource == "resize" and attributes.resource.kind.plural == "pods"


def pod_problems(limit_range: Object, spec: Object) -> Iterator[str]:
    """Pure."""
    for limit in _limits(limit_range):
        kind = limit.get("type")
        if kind == "Container":
            for container in pod_usage.containers(spec):
                stated = container.get("resources") or {}
                yield from _against(limit, stated.get("requests") or {}, stated.get("limits") or {})
        elif kind == "Pod":
            requests = pod_usage.total(spec, "requests", overhead=False)
            yield from _against(limit, requests, pod_usage.total(spec, "limits", overhead=False))


def claim_problems(limit_range: Object, spec: Object) -> Iterator[str]:
    """Pure."""
    requests = (spec.get("resources") or {}).get("requests") or {}
    for limit in _limits(limit_range):
        if limit.get("type") == "PersistentVolumeClaim":
            for name, least in sorted((limit.get("min") or {}).items()):
                yield from _least(limit, name, least, requests, {})
            for name, most in sorted((limit.get("max") or {}).items()):
                yield from _most(limit, name, most, requests, "request")


def _against(limit: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, least in sorted((limit.get("min") or {}).items()):
        yield from _least(limit, name, least, requests, limits)
    for name, most in sorted((limit.get("max") or {}).items()):
        yield from _most(limit, name, most, limits, "limit")
        if name in limits and name in requests and _less(most, requests[name]):
            yield f"{_usage('maximum', limit, name, most)}, but request is {requests[name]}"
    for name, ratio in sorted((limit.get("maxLimitRequestRatio") or {}).items()):
        yield from _ratio(limit, name, ratio, requests, limits)


def _usage(which: str, limit: Object, name: str, amount: str) -> str:
    return f"{which} {name} usage per {limit['type']} is {amount}"


def _less(first: str, second: str) -> bool:
    return quantity.parse(first) < quantity.parse(second)


def _least(limit: Object, name: str, least: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    text = _usage("minimum", limit, name, least)
    if name not in requests:
        yield f"{text}.  No request is specified"
    elif _less(requests[name], least):
        yield f"{text}, but request is {requests[name]}"
    elif name in limits and _less(limits[name], least):
        yield f"{text}, but limit is {limits[name]}"


def _most(limit: Object, name: str, most: str, amounts: Amounts, called: str) -> Iterator[str]:
    text = _usage("maximum", limit, name, most)
    if name not in amounts:
        yield f"{text}.  No {called} is specified"
    elif _less(most, amounts[name]):
        yield f"{text}, but {called} is {amounts[name]}"


def _ratio(limit: Object, name: str, most: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    text = f"{name} max limit to request ratio per {limit['type']} is {most}, but"
    for amounts, called in ((requests, "request"), (limits, "limit")):
        if not quantity.parse(amounts.get(name, "0")):
            yield f"{text} no {called} is specified or {called} is 0"
            return
    ratio = quantity.parse(limits[name]) / quantity.parse(requests[name])
    if ratio > quantity.parse(most):
        yield f"{text} provided ratio is {float(ratio):f}"
