"""Which objects a quota is about. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from apiserver.registry.kind import Kind, Object
from apiserver.registry.podspec.scheduling import pod_terms
from apiserver.registry.resources import qos_class


def covers(quota: Object, kind: Kind, obj: Object) -> bool:
    """Whether all of the quota's scopes take the object in; a quota without scopes takes in every one."""
    return all(_one(scope, kind, obj) for scope in selectors(quota))


def selectors(quota: Object) -> Iterator[Object]:
    """The scopes in one form: scopeName, operator, values."""
    spec = quota.get("spec") or {}
    for name in spec.get("scopes") or ():
        yield {"scopeName": name, "operator": "Exists"}
    yield from (spec.get("scopeSelector") or {}).get("matchExpressions") or ()


def _one(scope: Object, kind: Kind, obj: Object) -> bool:
    name, spec = scope.get("scopeName") or "", obj.get("spec") or {}
    what = "" if kind.group else kind.plural
    if what == "persistentvolumeclaims":
        return name == "VolumeAttributesClass" and _named(scope, spec.get("volumeAttributesClassName") or "")
    if what != "pods":
        return False
    if name == "PriorityClass":
        return _named(scope, spec.get("priorityClassName") or "")
    check = _OF_PODS.get(name)
    return check is not None and check(spec)


def _named(scope: Object, value: str) -> bool:
    values, operator = scope.get("values") or (), scope.get("operator")
    if operator == "Exists":
        return bool(value)
    if operator == "DoesNotExist":
        return not value
    return value in values if operator == "In" else value not in values


def _terminating(spec: Object) -> bool:
    return spec.get("activeDeadlineSeconds") is not None


def _best_effort(spec: Object) -> bool:
    return qos_class(spec) == "BestEffort"


def _across_namespaces(spec: Object) -> bool:
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in pod_terms(spec))


_OF_PODS: dict[str, Callable[[Object], bool]] = {
    "Terminating": _terminating,
    "NotTerminating": lambda spec: not _terminating(spec),
    "BestEffort": _best_effort,
    "NotBestEffort": lambda spec: not _best_effort(spec),
    "CrossNamespacePodAffinity": _across_namespaces,
}
