"""scale: how many there shall be and are, in one shape for every kind that can be scaled."""

from __future__ import annotations

from typing import Any

import orjson

from api.apply import Apply, Writer
from api.errors import Conflict, InternalError, Invalid, NotFound
from api.field import invalid
from api.metadata import now, rfc3339
from api.selectors import LabelSelector
from apiserver.endpoints.answer import answer_value, shown, wanted
from apiserver.endpoints.applying import APPLY, read_configuration
from apiserver.endpoints.body import check_name, read_typed
from apiserver.endpoints.http import Request
from apiserver.endpoints.options import WriteOptions, write_options
from apiserver.endpoints.ownership import scope_of
from apiserver.endpoints.patching import media_of, read_patch
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.versions import wait_for
from apiserver.endpoints.write import Author, Face, Transform, Update
from apiserver.registry.kind import Column, Kind, Object, Scale, at

GROUP, VERSION, KIND = "autoscaling", "v1", "Scale"
DEFINITION = "io.k8s.api.autoscaling.v1.Scale"
SCALE_KIND = Kind(
    group=GROUP,
    version=VERSION,
    kind=KIND,
    plural="scales",
    definition=DEFINITION,
    columns=(
        Column("Desired", lambda scale, now: scale["spec"]["replicas"], "integer"),
        Column("Available", lambda scale, now: scale["status"]["replicas"], "integer"),
    ),
)
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


async def _get(state: State, request: Request, resource: Resource, target: Target) -> None:
    await wait_for(state.feed, request.query.get("resourceVersion", ""))
    entry = resource.cache.entries.get(resource.key(target.namespace, target.name))
    if entry is None:
        raise NotFound(resource.kind.resource, target.name)
    raw = await resource.show(entry.raw)
    replicas = (resource.kind.scale or Scale()).replicas
    if resource.kind.own_schema is not None and at(orjson.loads(raw), replicas) is None:
        raise InternalError(f'the spec replicas field ".{".".join(replicas)}" does not exist')
    await _answer(request, resource.kind, raw)


async def _update(state: State, request: Request, resource: Resource, target: Target) -> None:
    given = await read_typed(request, DEFINITION, GROUP, VERSION, KIND)
    check_name(given, target.name)
    options = write_options(request.query, "UpdateOptions")
    change = _change(state, request, resource, target, options, lambda old: _scaled(resource.kind, old, given))
    change.retry = not given["metadata"].get("resourceVersion")
    await _answer(request, resource.kind, await change.run())


async def _patch(state: State, request: Request, resource: Resource, target: Target) -> None:
    if media_of(request, SCALE_KIND.schema) == APPLY:
        await _apply(state, request, resource, target)
        return
    patch = await read_patch(request, SCALE_KIND.schema)
    options = write_options(request.query, "PatchOptions")
    said = len(request.warnings)

    def transform(old: Object) -> Object:
        scale = patch.apply(scale_of(resource.kind, old))
        del request.warnings[said:]
        patch.settle(scale, SCALE_KIND, options.field_validation, request.warnings)
        return _scaled(resource.kind, old, scale)

    change = _change(state, request, resource, target, options, transform)
    await _answer(request, resource.kind, await change.run())


async def _apply(state: State, request: Request, resource: Resource, target: Target) -> None:
    """Server-side apply of a Scale: its manager comes to own the replicas of the object itself."""
    config = await read_configuration(request, SCALE_KIND)
    options = write_options(request.query, "PatchOptions", applies=True)
    check_name(config, target.name)
    kind = resource.kind

    def transform(old: Object) -> Object:
        author = Writer(options.field_manager, rfc3339(now()))
        Apply(config, scope_of(SCALE_KIND), author).to(None)  # it has to be a Scale
        wish = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": target.name}}
        if "replicas" in (config.get("spec") or {}):
            _check(kind, old, config)
            _set(wish, kind, config["spec"]["replicas"])
        new: Object = orjson.loads(orjson.dumps(Apply(wish, scope_of(kind, "scale"), author, options.force).to(old)))
        return new

    change = _change(state, request, resource, target, options, transform)
    change.applied = True
    await _answer(request, kind, await change.run())


def _change(
    state: State, request: Request, resource: Resource, target: Target, options: WriteOptions, transform: Transform
) -> Update:
    kind = resource.kind
    face = Face(lambda obj: scale_of(kind, obj), lambda obj, scale: _scaled(kind, obj, scale))
    author, where = Author.of(request, options), (target.namespace, target.name)
    return Update(state, resource, *where, author, transform, subresource="scale", face=face, retry=True)


async def _answer(request: Request, kind: Kind, raw: bytes) -> None:
    scale, form = scale_of(kind, orjson.loads(raw)), wanted(request, SCALE_KIND)
    await answer_value(request, form, shown(form, SCALE_KIND, orjson.dumps(scale), request) if form.as_ else scale)


def scale_of(kind: Kind, obj: Object) -> Object:
    """The Scale of an object."""
    where = kind.scale or Scale()
    selector = at(obj, where.selector) if where.selector else None
    return {
        "kind": KIND,
        "apiVersion": f"{GROUP}/{VERSION}",
        "metadata": {name: obj["metadata"][name] for name in _META if name in obj["metadata"]},
        "spec": {"replicas": at(obj, where.replicas) or 0},
        "status": {"replicas": at(obj, where.status_replicas) or 0, "selector": _selector(selector)},
    }


def _scaled(kind: Kind, old: Object, scale: Object) -> Object:
    """The object with the replicas of `scale`, meant for the version that `scale` names. Raises Conflict, Invalid."""
    _check(kind, old, scale)
    new: Object = orjson.loads(orjson.dumps(old))
    _set(new, kind, (scale.get("spec") or {}).get("replicas") or 0)
    return new


def _check(kind: Kind, old: Object, scale: Object) -> None:
    """Raises Conflict, Invalid."""
    meta, name = scale.get("metadata") or {}, old["metadata"]["name"]
    for field in ("uid", "resourceVersion"):
        if meta.get(field) and meta[field] != old["metadata"][field]:
            raise Conflict(kind.resource, name)
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if not isinstance(replicas, int) or replicas < 0:
        wrong = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise Invalid(KIND, GROUP, name, [wrong])


def _set(obj: Object, kind: Kind, replicas: int) -> None:
    *parents, last = (kind.scale or Scale()).replicas
    for key in parents:
        obj = obj.setdefault(key, {})
    obj[last] = replicas


def _selector(value: Any) -> str:
    """A LabelSelector, a map of labels, or a selector that is text already (a custom kind's), as text."""
    if isinstance(value, str):
        return value
    return str(LabelSelector.of(value) if _is_label_selector(value) else LabelSelector.of_map(value or {}))


def _is_label_selector(value: Any) -> bool:
    return isinstance(value, dict) and bool({"matchLabels", "matchExpressions"} & value.keys())


SCALE = Subresource("scale", {"get": _get, "update": _update, "patch": _patch}, GROUP, VERSION, KIND)
