"""Objects as the client wants to see them: as they are, as YAML, as rows of a table, or only their metadata."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from api import metadata
from apiserver.endpoints.http import Request
from apiserver.endpoints.negotiate import YAML, Form, form_of
from apiserver.endpoints.state import Resource
from apiserver.registry.columns import table_columns
from apiserver.registry.kind import Kind, Object

PARTIAL = "PartialObjectMetadata"


async def answer_object(request: Request, resource: Resource, raw: bytes, status: int = 200) -> None:
    """Answer with one object, given its wire bytes. Raises NotAcceptable."""
    form = form_of(request.header(b"accept"))
    if form.plain:
        await request.answer(status, raw)
        return
    await answer_value(request, form, shown(form, resource.kind, raw, request), status)


async def answer_value(request: Request, form: Form, value: Object, status: int = 200) -> None:
    """Answer with any JSON value in the media type the client wants."""
    if form.media_type == YAML:
        import yaml  # rarely asked for, and large

        await request.answer(status, yaml.safe_dump(value, sort_keys=False).encode(), YAML.encode())
        return
    await request.answer_json(status, value)


def shown(form: Form, kind: Kind, raw: bytes, request: Request) -> Object:
    """One object in the form the client wants."""
    obj: Object = orjson.loads(raw)
    if form.as_ == "Table":
        meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}  # none after a dry run
        return table(kind, [obj], meta, form, request.query.get("includeObject", ""), metadata.now())
    return partial(obj, form.version) if form.as_ else obj


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
