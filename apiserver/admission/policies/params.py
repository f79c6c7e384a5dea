"""The objects that a policy takes as parameters, by the reference in its binding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from api.selectors import LabelSelector

if TYPE_CHECKING:
    from apiserver.endpoints.state import Resource, State
    from apiserver.registry.kind import Object

DENY = "Deny"


class BadReference(ValueError):
    """A policy or a binding that cannot be applied as it is; the sentence says why."""


def resource_of(state: State, kind: tuple[str, str]) -> Resource:
    """The resource of a kind of parameters, by apiVersion and kind. Raises BadReference."""
    for resource in state.catalog:
        if (resource.kind.api_version, resource.kind.kind) == kind:
            return resource
    version, name = kind
    raise BadReference(f"failed to find resource referenced by paramKind: '{version}, Kind={name}'")


async def params_of(
    state: State, kind: tuple[str, str] | None, ref: Mapping[str, Any] | None, namespace: str
) -> list[Object | None]:
    """The parameters to evaluate a policy with, one after the other; None is none. Raises BadReference."""
    if kind is None or ref is None:
        return [None]
    resource = resource_of(state, kind)
    where = _namespace(resource, ref, namespace)
    if ref.get("name"):
        entry = resource.cache.entries.get(resource.key(where, ref["name"]))
        raws = [entry.raw] if entry is not None else []
    else:
        selector = LabelSelector.of(ref.get("selector"))
        raws = [entry.raw for entry in resource.cache.select(where, None) if selector.matches(entry.labels)]
    if not raws and ref.get("parameterNotFoundAction") == DENY:
        raise BadReference("no params found for policy binding with `Deny` parameterNotFoundAction")
    return [_decoded(raw) for raw in await resource.shown(raws)]


def _namespace(resource: Resource, ref: Mapping[str, Any], namespace: str) -> str:
    named = str(ref.get("namespace") or "")
    if not resource.kind.namespaced:
        if named:
            raise BadReference("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        return ""
    if not named and not namespace:
        raise BadReference("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
    return named or namespace


def _decoded(raw: bytes) -> Object:
    obj: Object = orjson.loads(raw)
    return obj
