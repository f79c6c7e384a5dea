"""metadata.managedFields on the write path: what a request may own, and under which name.

Fields are given their owner before admission, as clients sent them with defaults filled in: what admission adds or the
server allocates belongs to nobody.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from api.apply import Scope, Writer, change, decode, foreign, owned_after_create, owned_after_update
from api.errors import StatusError
from api.schema import Schema
from apiserver.endpoints.catalog import Catalog, Resource
from apiserver.registry.kind import Kind, Object

MANAGER_LIMIT = 128


def manager_of(user_agent: str) -> str:
    """The manager of a client that names none: its program, as its User-Agent begins."""
    name = user_agent.partition("/")[0]
    if not name.isprintable():
        name = "".join(filter(str.isprintable, name))
    while len(name.encode()) > MANAGER_LIMIT:
        name = name[:-1]
    return name


@lru_cache(maxsize=4096)
def _scope(schema: Schema, api_version: str, subresource: str, reset: str, only: str) -> Scope:
    return Scope(schema, api_version, subresource, reset, only)


def scope_of(kind: Kind, subresource: str = "") -> Scope:
    """What a write of the object itself, or through a subresource, may own."""
    if subresource == "status":
        return _scope(kind.schema, kind.api_version, subresource, "", "status")
    resets = kind.status and subresource in ("", "scale")
    return _scope(kind.schema, kind.api_version, subresource, "status" if resets else "", "")


def note(obj: Object, managed: Any) -> None:
    """Set the managedFields, which are not there when nobody owns anything."""
    if managed:
        obj["metadata"]["managedFields"] = managed
    else:
        obj["metadata"].pop("managedFields", None)


def own_new(obj: Object, given: Any, kind: Kind, manager: str) -> None:
    """Set the managedFields of a new object. `given` is what the client sent for them."""
    note(obj, owned_after_create(obj, given, scope_of(kind), Writer(manager, obj["metadata"]["creationTimestamp"])))


async def own_changed(
    new: Object, old: Object, given: Any, resource: Resource, subresource: str, writer: Writer, catalog: Catalog
) -> None:
    """Set the managedFields of an object that has changed; they stay where a webhook that converts does not answer."""
    scope = scope_of(resource.kind, subresource)
    elsewhere = {}
    try:
        for version in foreign(old, scope):
            sibling = _in_version(catalog, resource.kind, version)
            if sibling is not None:
                before, after = await _converted([old, new], resource, sibling)
                elsewhere[version] = change(before, after, scope_of(sibling, subresource))
    except StatusError:
        managed = old["metadata"]["managedFields"]
    else:
        managed = owned_after_update(new, old, given, scope, writer, elsewhere)
    note(new, managed)


def versions_of(catalog: Catalog, kind: Kind) -> tuple[str, ...]:
    """The versions in which an object's fields can be owned."""
    return tuple(each.kind.api_version for each in catalog.family(*kind.family)) or (kind.api_version,)


def _in_version(catalog: Catalog, kind: Kind, version: str) -> Kind | None:
    return next((each.kind for each in catalog.family(*kind.family) if each.kind.api_version == version), None)


async def _converted(objects: list[Object], resource: Resource, kind: Kind) -> list[Object]:
    """The objects of a resource in the version of `kind`. Where no version converts, they differ only in name."""
    if resource.kind.convert is not None and not resource.kind.kept:
        objects = await resource.kind.convert(objects, resource.home.kind.api_version)
    if kind.convert is not None and not kind.kept:
        objects = await kind.convert(objects, kind.api_version)
    return objects


def sensible(managed: Any) -> bool:
    """Whether these can be managedFields at all."""
    return managed is None or (isinstance(managed, list) and decode(managed) is not None)
