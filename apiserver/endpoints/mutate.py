"""The HTTP side of writes: bodies in, objects out."""

from __future__ import annotations

from typing import Any

import orjson

from api.errors import BadRequest, NotFound
from apiserver.endpoints import delete as deletion
from apiserver.endpoints.http import Request
from apiserver.endpoints.objectmeta import check_namespace, metadata_of
from apiserver.endpoints.options import write_options
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import Author, Part, Update
from apiserver.endpoints.write import create as create_object
from apiserver.registry.kind import Object


async def create(state: State, request: Request, resource: Resource, namespace: str) -> None:
    options = write_options(request.query, "CreateOptions")
    obj = await read_object(request)
    author = Author(request.user, options, request.warnings)
    await request.answer(201, await create_object(state, resource, namespace, obj, author))


async def update(
    state: State, request: Request, resource: Resource, namespace: str, name: str, subresource: str
) -> None:
    options = write_options(request.query, "UpdateOptions")
    obj = await read_object(request)
    check_name(obj, name)
    check_namespace(obj, resource, namespace)
    author = Author(request.user, options, request.warnings)
    part = Part.STATUS if subresource == "status" else Part.MAIN
    change = Update(state, resource, namespace, name, author, lambda old: orjson.loads(orjson.dumps(obj)), part)
    try:
        await request.answer(200, await change.run())
    except NotFound:
        if part is not Part.MAIN or not resource.kind.strategy.allow_create_on_update:
            raise
        await request.answer(201, await create_object(state, resource, namespace, obj, author))


async def delete(state: State, request: Request, resource: Resource, namespace: str, name: str) -> None:
    body = await request.body()
    options = deletion.read_options(orjson.loads(body) if body else {}, dict(request.query))
    author = Author(request.user, warnings=request.warnings)
    done = await deletion.delete(state, resource, namespace, name, options, author)
    if not done.gone or resource.kind.strategy.returns_deleted:
        await request.answer(200, done.raw)
        return
    kind = resource.kind
    details = {"name": name, "group": kind.group, "kind": kind.plural, "uid": done.uid}
    await request.answer_json(200, success({key: value for key, value in details.items() if value}))


def success(details: Object) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def check_name(obj: Object, name: str) -> None:
    """The name in the object must be that of the path. Raises BadRequest."""
    meta = metadata_of(obj)
    given = meta.get("name")
    if not given:
        meta["name"] = name
    elif given != name:
        raise BadRequest(f"the name of the object ({given}) does not match the name on the URL ({name})")


async def read_object(request: Request) -> Object:
    body = await request.body()
    value: Any = orjson.loads(body)
    if not isinstance(value, dict):
        raise BadRequest("the body is no object")
    return value
