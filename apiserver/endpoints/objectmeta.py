"""The metadata that the server owns: identity, times, generation. The same for every kind."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from api import names
from api.errors import BadRequest, Conflict, StatusError
from api.metadata import rfc3339
from apiserver.endpoints.state import Resource
from apiserver.registry.kind import Object

_SERVERS_OWN = ("uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields", "generation")
_OMITTED = ("labels", "annotations", "finalizers", "ownerReferences")
"""What is the same empty as missing."""
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName")


def metadata_of(obj: Object) -> dict[str, Any]:
    """The object's metadata, made if it is missing. Raises BadRequest when it is no object."""
    found = obj.get("metadata")
    if found is None:
        found = obj["metadata"] = {}
    if not isinstance(found, dict):
        raise BadRequest("metadata must be an object")
    return found


def check_namespace(obj: Object, resource: Resource, namespace: str) -> None:
    """Fill in the namespace of the path, or refuse another one."""
    meta = metadata_of(obj)
    given = meta.get("namespace") or ""
    if not resource.kind.namespaced:
        if not given:
            meta.pop("namespace", None)
        return
    if not given:
        meta["namespace"] = namespace
    elif given != namespace:
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")


def fill_for_create(obj: Object, resource: Resource, now: datetime) -> None:
    """Give a new object its name (if it asks for one), uid and times."""
    meta = metadata_of(obj)
    if meta.get("resourceVersion"):
        raise StatusError("resourceVersion should not be set on objects to be created")
    meta.pop("resourceVersion", None)
    for field in _SERVERS_OWN:
        meta.pop(field, None)
    _omit_empty(meta)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = names.generate(meta["generateName"])
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = rfc3339(now)
    if resource.kind.strategy.has_generation:
        meta["generation"] = 1


def fill_for_update(new: Object, old: Object, resource: Resource, check_version: bool = True) -> None:
    """Keep what an update may not change, and check what it says about the object it means.

    Raises Conflict when it means another version or another object of the same name.
    """
    meta, before = metadata_of(new), old["metadata"]
    name, kind = before["name"], resource.kind
    if (uid := meta.get("uid")) and uid != before["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {before['uid']}"
        raise Conflict(kind.resource, name, why)
    if check_version and (version := meta.get("resourceVersion")) and version != before["resourceVersion"]:
        raise Conflict(kind.resource, name)
    for field in _KEPT:
        if field in before:
            meta[field] = before[field]
        else:
            meta.pop(field, None)
    meta.pop("selfLink", None)
    meta.pop("managedFields", None)
    _omit_empty(meta)
    meta["resourceVersion"] = before["resourceVersion"]


def _omit_empty(meta: dict[str, Any]) -> None:
    for field in _OMITTED:
        if field in meta and not meta[field]:
            del meta[field]


def single_owners(obj: Object) -> list[str]:
    """Drop all but the first reference to each owner; what to warn of, if there were more."""
    owners = obj["metadata"].get("ownerReferences")
    if not owners or len(owners) == 1:
        return []
    first = {owner.get("uid"): owner for owner in reversed(owners)}
    if len(first) == len(owners):
        return []
    obj["metadata"]["ownerReferences"] = [owner for owner in owners if first[owner.get("uid")] is owner]
    uids = [owner.get("uid") for owner in owners]
    twice = sorted({str(uid) for uid in uids if uids.count(uid) > 1})
    text = "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24"
    start = ".metadata.ownerReferences contains duplicate entries"
    return [f"{start}; {text}; please fix your requests; duplicate UID(s) observed: {', '.join(twice)}"]


def grow_generation(new: Object, old: Object) -> None:
    """Count a change of anything but metadata and status."""
    if _wanted(new) != _wanted(old):
        new["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1


def _wanted(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status", "apiVersion", "kind")}
