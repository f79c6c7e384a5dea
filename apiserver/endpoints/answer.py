"""Objects as the client wants to see them: as they are, as YAML or protobuf, as a table, or only their metadata."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from api import metadata
from api.codec import YAML
from api.errors import NotAcceptable, StatusError
from apiserver.endpoints.http import Request
from apiserver.endpoints.media import body_of, encode, has_message
from apiserver.endpoints.negotiate import TRUE, Form, form_of
from apiserver.endpoints.state import Resource
from apiserver.registry.columns import table_columns
from apiserver.registry.kind import Kind, Object
from apiserver.storage.cache import Entry

PARTIAL = "PartialObjectMetadata"
PARTIAL_LIST = "PartialObjectMetadataList"


class NoSuchShape(NotAcceptable):
    """A list is asked for as one object, or the other way round."""

    def __init__(self, wanted: str, found: str) -> None:
        StatusError.__init__(self, f"you requested {wanted}, but the requested object is {found}")


def wanted(request: Request, kind: Kind | None = None, stream: bool = False) -> Form:
    """The form the client wants objects of `kind` in, or any built-in kind. Raises NotAcceptable."""
    accept = request.header(b"accept")
    form = form_of(accept, True, stream)
    if form.protobuf and kind is not None and not has_message(kind):
        form = form_of(accept, False, stream)
    if b"pretty=" in request.scope["query_string"] and not stream:
        return replace(form, pretty=request.query.get("pretty") in TRUE)
    return form


async def answer_object(
    request: Request, resource: Resource, raw: bytes, status: int = 200, entry: Entry | None = None
) -> None:
    """Answer with one object, given its wire bytes and, if they are from there, its place in the cache.

    Raises NotAcceptable.
    """
    form = wanted(request, resource.kind)
    if form.plain:
        await request.answer(status, raw)
    elif form.whole:
        await request.answer(status, body_of(resource.kind, raw, entry), form.content_type)
    else:
        await answer_value(request, form, shown(form, resource.kind, raw, request), status)


async def answer_value(request: Request, form: Form, value: Object, status: int = 200) -> None:
    """Answer with any object in the media type the client wants. YAML takes its time, which is not the others'."""
    body = await asyncio.to_thread(encode, form, value) if form.media_type == YAML else encode(form, value)
    await request.answer(status, body, form.content_type)


def shown(form: Form, kind: Kind, raw: bytes, request: Request) -> Object:
    """One object in the form the client wants. Raises NotAcceptable."""
    obj: Object = orjson.loads(raw)
    if form.as_ == "Table":
        meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}  # none after a dry run
        return table(kind, [obj], meta, form, request.query.get("includeObject", ""), metadata.now())
    if form.as_ == PARTIAL_LIST:
        raise NoSuchShape(form.as_, "not a list")
    return partial(obj, form.version) if form.as_ else obj


def shown_list(form: Form, kind: Kind, objects: Sequence[Object], meta: Object, include: str) -> Object:
    """A list in the form the client wants. `include` is the includeObject parameter. Raises NotAcceptable."""
    if form.as_ == "Table":
        return table(kind, objects, meta, form, include, metadata.now())
    if form.as_ == PARTIAL:
        raise NoSuchShape(form.as_, "a list")
    if form.as_:
        items = [partial(obj, form.version) for obj in objects]
        return {"kind": PARTIAL_LIST, "apiVersion": f"meta.k8s.io/{form.version}", "metadata": meta, "items": items}
    return {"kind": kind.list_name, "apiVersion": kind.api_version, "metadata": meta, "items": list(objects)}


def partial(obj: Object, version: str = "v1") -> Object:
    """Only the metadata."""
    return {"kind": PARTIAL, "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}


def table(
    kind: Kind, objects: Sequence[Object], meta: Object, form: Form, include: str, now: datetime, head: bool = True
) -> Object:
    """A Table of the objects. `include` is the includeObject parameter; `head` is whether to describe the columns."""
    columns = table_columns(kind)
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description,
            "priority": column.priority,
        }
        for column in columns
    ]
    rows = [_row(obj, [column.cell(obj, now) for column in columns], include, form.version) for obj in objects]
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{form.version}",
        "metadata": meta,
        "columnDefinitions": definitions if head else None,
        "rows": rows,
    }


def _row(obj: Object, cells: list[Any], include: str, version: str) -> Object:
    row: Object = {"cells": cells}
    if include == "Object":
        row["object"] = obj
    elif include != "None":
        row["object"] = partial(obj, version)
    else:
        row["object"] = None
    return row
