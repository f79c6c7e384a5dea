"""get and list: from the watch cache, as bytes that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from api import metadata
from api.errors import NotFound
from apiserver.endpoints.answer import answer_object, answer_value, partial, table
from apiserver.endpoints.http import Request
from apiserver.endpoints.negotiate import Form, form_of
from apiserver.endpoints.paging import Page, read_page
from apiserver.endpoints.selection import read_selection
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.versions import wait_for
from apiserver.registry.kind import Object

CHUNK = 100
"""Objects sent at once: far cheaper than one at a time, and no second copy of the whole list."""


async def get(state: State, request: Request, resource: Resource, namespace: str, name: str) -> None:
    await wait_for(state.feed, request.query.get("resourceVersion", ""))
    entry = resource.cache.entries.get(resource.key(namespace, name))
    if entry is None:
        raise NotFound(resource.kind.resource, name)
    await answer_object(request, resource, await resource.show(entry.raw))


async def list_(state: State, request: Request, resource: Resource, namespace: str) -> None:
    selection = read_selection(request.query, resource.kind, namespace)
    page = await read_page(state, resource, namespace, selection, request.query)
    await answer_list(request, resource, await resource.shown(page.raws), page.revision, page)


async def answer_list(
    request: Request, resource: Resource, raws: Sequence[bytes], revision: int, page: Page | None = None
) -> None:
    """Answer with a list of objects, given their wire bytes. Raises NotAcceptable."""
    form = form_of(request.header(b"accept"))
    meta: Object = {"resourceVersion": str(revision)}
    if page is not None and page.token:
        meta["continue"] = page.token
        if page.remaining:
            meta["remainingItemCount"] = page.remaining
    if form.plain:
        await request.answer_chunks(200, list_chunks(resource, raws, meta))
        return
    await answer_value(request, form, _shown(form, resource, raws, meta, request.query.get("includeObject", "")))


def list_chunks(resource: Resource, raws: Sequence[bytes], meta: Object) -> list[bytes]:
    """The list object in parts to send one after the other."""
    kind = resource.kind
    head = f'{{"kind":"{kind.kind}List","apiVersion":"{kind.api_version}","metadata":'
    chunks = [head.encode() + orjson.dumps(meta) + b',"items":[']
    for start in range(0, len(raws), CHUNK):
        joined = b",".join(raws[start : start + CHUNK])
        chunks.append(b"," + joined if start else joined)
    chunks.append(b"]}\n")
    return chunks


def _shown(form: Form, resource: Resource, raws: Sequence[bytes], meta: Object, include: str) -> Object:
    kind = resource.kind
    objects: list[Any] = [orjson.loads(raw) for raw in raws]
    if form.as_ == "Table":
        return table(kind, objects, meta, form, include, metadata.now())
    if form.as_:
        version = f"meta.k8s.io/{form.version}"
        items = [partial(obj, form.version) for obj in objects]
        return {"kind": "PartialObjectMetadataList", "apiVersion": version, "metadata": meta, "items": items}
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": objects}
