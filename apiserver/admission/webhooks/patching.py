"""A webhook's patch put into effect: what comes out is that object still, in its kind's form, with its defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from api import schema as schemas
from api.errors import BadRequest, InternalError
from api.patch import PatchError, json_patch
from apiserver.admission.webhooks.call import Question, converted

if TYPE_CHECKING:
    from apiserver.endpoints.catalog import Resource
    from apiserver.registry.kind import Kind, Object

_SERVERS_OWN = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "resourceVersion",
    "uid",
)
"""Metadata that is nobody's to change."""


async def apply(name: str, question: Question, resource: Resource, operations: list[Any]) -> bool:
    """Change the question's object, in place, as the webhook `name` says; whether that made a difference.

    `resource` is the version that the webhook saw. Raises InternalError, BadRequest.
    """
    if not operations:
        return False
    before = question.obj
    if before is None:
        why = f'admission webhook "{name}" attempted to modify the object, which is not supported for this operation'
        raise InternalError(why)
    shown, _ = await question.objects(resource)
    changed = await converted(_patched(shown, operations), resource, question.attributes.resource)
    new = settled(changed or {}, before, question.attributes.resource.kind)
    if new == before:
        return False
    before.clear()
    before.update(new)
    return True


def _patched(shown: Object | None, operations: list[Any]) -> Object:
    try:
        patched = json_patch(shown, operations)
    except PatchError as error:
        raise InternalError(str(error)) from error
    if not isinstance(patched, dict) or not isinstance(patched.setdefault("metadata", {}), dict):
        raise InternalError("what the patch leaves is no object")
    if shown is not None and any(patched.get(field) != shown.get(field) for field in ("apiVersion", "kind")):
        raise InternalError(f"the patch makes a {patched.get('kind')} of a {shown.get('kind')}")
    return patched


def settled(obj: Object, before: Object, kind: Kind) -> Object:
    """The object as the schema knows it, with its defaults. Raises InternalError, BadRequest."""
    obj = orjson.loads(orjson.dumps(obj))  # it may share parts with the object before
    if obj.get("kind") != kind.kind:
        return obj  # a subresource's own kind: its handler looks at it
    if not schemas.exact(kind.schema, obj):
        if problem := schemas.type_error(kind.schema, kind.kind, kind.version, obj):
            raise InternalError(problem)
        schemas.prune(kind.schema, obj)
    _keep(obj["metadata"], before["metadata"])
    kind.strategy.default(obj)
    return obj


def _keep(meta: dict[str, Any], before: dict[str, Any]) -> None:
    if (meta.get("namespace") or "") != (before.get("namespace") or ""):
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    for field in _SERVERS_OWN:
        if field in before:
            meta[field] = before[field]
        else:
            meta.pop(field, None)
