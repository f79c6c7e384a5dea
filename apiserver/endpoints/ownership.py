"""metadata.managedFields on the write path: what a request may own, and under which name.

Fields are given their owner before admission, as clients sent them with defaults filled in: what admission adds or the
server allocates belongs to nobody.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from api.apply import Scope, Writer, decode, owned_after_create, owned_after_update
from api.schema import Schema
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


def own_new(obj: Object, given: Any, kind: Kind, manager: str) -> None:
    """Set the managedFields of a new object. `given` is what the client sent for them."""
    managed = owned_after_create(obj, given, scope_of(kind), Writer(manager, obj["metadata"]["creationTimestamp"]))
    if managed:
        obj["metadata"]["managedFields"] = managed


def own_changed(new: Object, old: Object, given: Any, kind: Kind, subresource: str, writer: Writer) -> None:
    """Set the managedFields of an object that has changed."""
    managed = owned_after_update(new, old, given, scope_of(kind, subresource), writer)
    if managed:
        new["metadata"]["managedFields"] = managed
    else:
        new["metadata"].pop("managedFields", None)


def sensible(managed: Any) -> bool:
    """Whether these can be managedFields at all."""
    return managed is None or (isinstance(managed, list) and decode(managed) is not None)
