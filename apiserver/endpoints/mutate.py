"""The HTTP side of writes: bodies in, objects out."""

from __future__ import annotations

import orjson

from api.codec import decode_body
from api.errors import BadRequest, Invalid, NotFound
from api.field import invalid
from apiserver.auth.authorize import Attempt, authorize
from apiserver.endpoints import delete as deletion
from apiserver.endpoints.answer import answer_object
from apiserver.endpoints.applying import APPLY, Applying, read_configuration
from apiserver.endpoints.body import check_kind, check_name, read_object
from apiserver.endpoints.http import Request
from apiserver.endpoints.objectmeta import check_namespace
from apiserver.endpoints.options import DEFAULT, write_options
from apiserver.endpoints.paging import read_page
from apiserver.endpoints.patching import media_of, read_patch
from apiserver.endpoints.read import answer_list
from apiserver.endpoints.selection import read_selection
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import Author, Part, Update
from apiserver.endpoints.write import create as create_object
from apiserver.registry.kind import Object


class _Version(int):
    """A version as Kubernetes' messages show it."""

    def __str__(self) -> str:
        return hex(self)


_NO_VERSION = _Version(0)


async def create(state: State, request: Request, resource: Resource, namespace: str) -> None:
    options = write_options(request.query, "CreateOptions")
    obj = await read_object(request, resource.kind, options.field_validation)
    raw = await create_object(state, resource, namespace, obj, Author.of(request, options))
    await answer_object(request, resource, raw, 201)


async def update(
    state: State,
    request: Request,
    resource: Resource,
    namespace: str,
    name: str,
    part: Part = Part.MAIN,
    subresource: str = "",
) -> None:
    options = write_options(request.query, "UpdateOptions")
    obj = await read_object(request, resource.kind, options.field_validation)
    check_name(obj, name)
    check_namespace(obj, resource, namespace)
    author = Author.of(request, options)
    given = orjson.dumps(obj)
    unconditional = not obj["metadata"].get("resourceVersion")

    def transform(old: Object) -> Object:
        if unconditional and not resource.kind.strategy.allow_unconditional_update:
            wrong = invalid("metadata.resourceVersion", _NO_VERSION, "must be specified for an update")
            raise Invalid(resource.kind.plural, resource.kind.group, name, [wrong])
        return _loaded(given)

    change = Update(state, resource, namespace, name, author, transform, part, subresource, retry=unconditional)
    try:
        await answer_object(request, resource, await change.run())
    except NotFound:
        if part is not Part.MAIN or not resource.kind.strategy.allow_create_on_update:
            raise
        authorize(request.user, Attempt("create", resource.kind.plural, resource.kind.group, namespace, name))
        raw = await create_object(state, resource, namespace, obj, author)
        await answer_object(request, resource, raw, 201)


async def patch(
    state: State,
    request: Request,
    resource: Resource,
    namespace: str,
    name: str,
    part: Part = Part.MAIN,
    subresource: str = "",
) -> None:
    if media_of(request, resource.kind.schema) == APPLY:
        await apply(state, request, resource, namespace, name, part, subresource)
        return
    patching = await read_patch(request, resource.kind.schema)
    options = write_options(request.query, "PatchOptions")
    author = Author.of(request, options)
    said = len(author.warnings)

    def transform(old: Object) -> Object:
        new = patching.apply(old)
        check_kind(new, resource.kind.group, resource.kind.version, resource.kind.kind)
        del author.warnings[said:]
        patching.settle(new, resource.kind, options.field_validation, author.warnings)
        check_name(new, name)
        check_namespace(new, resource, namespace)
        return new

    change = Update(state, resource, namespace, name, author, transform, part, subresource, retry=True)
    await answer_object(request, resource, await change.run())


async def apply(
    state: State, request: Request, resource: Resource, namespace: str, name: str, part: Part, subresource: str
) -> None:
    """Server-side apply: merge a configuration into the object, or make the object of it."""
    config = await read_configuration(request, resource.kind)
    options = write_options(request.query, "PatchOptions", applies=True)
    author = Author.of(request, options)
    applying = Applying(state, resource, namespace, name, author, part, subresource)
    raw, code = await applying.run(config)
    await answer_object(request, resource, raw, code)


async def delete(state: State, request: Request, resource: Resource, namespace: str, name: str) -> None:
    options = await _delete_options(request)
    author = Author.of(request, DEFAULT)
    done = await deletion.delete(state, resource, namespace, name, options, author)
    if not done.gone or resource.kind.strategy.returns_deleted:
        waits = not done.gone and (options.cascades or options.propagation == deletion.FOREGROUND)
        await answer_object(request, resource, done.raw, 202 if waits else 200)
        return
    kind = resource.kind
    details = {"name": name, "group": kind.group, "kind": kind.plural, "uid": done.uid}
    await request.answer_status(200, success({key: value for key, value in details.items() if value}))


async def delete_collection(state: State, request: Request, resource: Resource, namespace: str) -> None:
    """Delete all that the selectors match; the answer is the list of what was there."""
    options = await _delete_options(request)
    selection = read_selection(request.query, resource.kind, namespace)
    page = await read_page(state, resource, namespace, selection, request.query)
    raws = await deletion.delete_all(state, resource, page.entries, options, Author.of(request, DEFAULT))
    await answer_list(request, resource, raws, state.feed.revision)


async def _delete_options(request: Request) -> deletion.DeleteOptions:
    body = await request.body()
    given = decode_body(body, request.header(b"content-type"), "DeleteOptions") if body else {}
    if given.get("kind", "DeleteOptions") != "DeleteOptions":
        raise BadRequest(f"a delete takes DeleteOptions, not {given['kind']}")
    return deletion.read_options(given, request.query)


def success(details: Object) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _loaded(given: bytes) -> Object:
    obj: Object = orjson.loads(given)
    return obj
