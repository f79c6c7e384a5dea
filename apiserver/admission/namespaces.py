"""Nothing is made in a namespace that is not there or is going; the namespaces everybody needs stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.errors import Forbidden, NotFound
from apiserver.registry.kind import Object
from apiserver.storage.store import Guard

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


async def exists(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Refuse a new object in a missing or terminating namespace."""
    if attributes.operation != "create" or not attributes.namespace or not attributes.resource.kind.namespaced:
        return
    if attributes.namespace not in state.resource("namespaces").cache.entries:
        await state.feed.fresh()
    guard(state, attributes)


def guard(state: State, attributes: Attributes) -> Guard:
    """What must not change until the new object is stored: its namespace. Raises NotFound, Forbidden.

    So nothing can be made in a namespace once it is terminating, and what its controller finds there is all there is.
    """
    resource = state.resource("namespaces")
    entry = resource.cache.entries.get(attributes.namespace)
    if entry is None:
        raise NotFound("namespaces", attributes.namespace)
    if entry.terminating:
        raise terminating(attributes)
    return Guard(resource.storage_key("", entry.name), entry.revision)


def terminating(attributes: Attributes) -> Forbidden:
    namespace = attributes.namespace
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = Forbidden(attributes.resource.kind.resource, attributes.name, why)
    error.details["causes"] = [
        {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
    ]
    return error


async def not_immortal(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Refuse the deletion of the namespaces that the cluster itself lives in."""
    kind = attributes.resource.kind
    if attributes.operation == "delete" and kind.plural == "namespaces" and attributes.name in IMMORTAL:
        raise Forbidden(kind.resource, attributes.name, "this namespace may not be deleted")
