"""scale: how many there shall be and are, in one shape for every kind that can be scaled."""

from __future__ import annotations

from typing import Any

import orjson

from api import schema as schemas
from api.errors import BadRequest, Conflict, Invalid, NotFound
from api.field import invalid
from api.selectors import LabelSelector
from apiserver.endpoints.answer import answer_value
from apiserver.endpoints.body import read_typed
from apiserver.endpoints.http import Request
from apiserver.endpoints.negotiate import form_of
from apiserver.endpoints.options import write_options
from apiserver.endpoints.patching import read_patch
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.versions import wait_for
from apiserver.endpoints.write import Author, Transform, Update
from apiserver.registry.kind import Kind, Object, Scale

GROUP, VERSION, KIND = "autoscaling", "v1", "Scale"
DEFINITION = "io.k8s.api.autoscaling.v1.Scale"
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


async def _get(state: State, request: Request, resource: Resource, target: Target) -> None:
    await wait_for(state.feed, request.query.get("resourceVersion", ""))
    entry = resource.cache.entries.get(resource.key(target.namespace, target.name))
    if entry is None:
        raise NotFound(resource.kind.resource, target.name)
    await answer_value(
        request,
        form_of(request.header(b"accept")),
        scale_of(resource.kind, orjson.loads(await resource.show(entry.raw))),
    )


async def _update(state: State, request: Request, resource: Resource, target: Target) -> None:
    given = await read_typed(request, DEFINITION, GROUP, VERSION, KIND)
    name = (given.get("metadata") or {}).get("name") or target.name
    if name != target.name:
        raise BadRequest(f"the name of the object ({name}) does not match the name on the URL ({target.name})")
    unconditional = not (given.get("metadata") or {}).get("resourceVersion")
    await _write(state, request, resource, target, lambda old: _scaled(resource.kind, old, given), unconditional)


async def _patch(state: State, request: Request, resource: Resource, target: Target) -> None:
    apply = await read_patch(request, schemas.load(DEFINITION))

    def transform(old: Object) -> Object:
        scale = apply(scale_of(resource.kind, old))
        if problem := schemas.type_error(schemas.load(DEFINITION), KIND, VERSION, scale):
            raise BadRequest(problem)
        return _scaled(resource.kind, old, scale)

    await _write(state, request, resource, target, transform)


async def _write(
    state: State, request: Request, resource: Resource, target: Target, transform: Transform, retry: bool = True
) -> None:
    author = Author.of(request, write_options(request.query, "UpdateOptions"))
    change = Update(state, resource, target.namespace, target.name, author, transform, subresource="scale", retry=retry)
    raw = await change.run()
    await answer_value(request, form_of(request.header(b"accept")), scale_of(resource.kind, orjson.loads(raw)))


def scale_of(kind: Kind, obj: Object) -> Object:
    """The Scale of an object."""
    where = kind.scale or Scale()
    selector = _at(obj, where.selector) if where.selector else None
    return {
        "kind": KIND,
        "apiVersion": f"{GROUP}/{VERSION}",
        "metadata": {name: obj["metadata"][name] for name in _META if name in obj["metadata"]},
        "spec": {"replicas": _at(obj, where.replicas) or 0},
        "status": {"replicas": _at(obj, where.status_replicas) or 0, "selector": _selector(selector)},
    }


def _scaled(kind: Kind, old: Object, scale: Object) -> Object:
    """The object with the replicas of `scale`, meant for the version that `scale` names. Raises Conflict, Invalid."""
    meta, name = scale.get("metadata") or {}, old["metadata"]["name"]
    for field in ("uid", "resourceVersion"):
        if meta.get(field) and meta[field] != old["metadata"][field]:
            raise Conflict(kind.resource, name)
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if not isinstance(replicas, int) or replicas < 0:
        wrong = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise Invalid(KIND, GROUP, name, [wrong])
    new: Object = orjson.loads(orjson.dumps(old))
    *parents, last = (kind.scale or Scale()).replicas
    place = new
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = replicas
    return new


def _selector(value: Any) -> str:
    """A LabelSelector, a map of labels, or a selector that is text already (a custom kind's), as text."""
    if isinstance(value, str):
        return value
    return str(LabelSelector.of(value) if _is_label_selector(value) else LabelSelector.of_map(value or {}))


def _is_label_selector(value: Any) -> bool:
    return isinstance(value, dict) and bool({"matchLabels", "matchExpressions"} & value.keys())


def _at(obj: Object, path: tuple[str, ...]) -> Any:
    value: Any = obj
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


SCALE = Subresource("scale", {"get": _get, "update": _update, "patch": _patch}, GROUP, VERSION, KIND)
