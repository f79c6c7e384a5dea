"""get and list: from the watch cache, as bytes that are there already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TypeVar

import orjson

from api import protobuf
from api.errors import NotFound
from apiserver.endpoints.answer import PARTIAL, answer_object, answer_value, shown_list, wanted
from apiserver.endpoints.http import Request
from apiserver.endpoints.media import message_of
from apiserver.endpoints.negotiate import Form
from apiserver.endpoints.paging import Page, read_page
from apiserver.endpoints.selection import read_selection
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.versions import wait_for
from apiserver.registry.kind import Kind, Object
from apiserver.storage.cache import Entry

_T = TypeVar("_T")

CHUNK = 100
"""Objects that are turned into another form at once, before others get their turn."""
CHUNK_BYTES = 128 * 1024
"""What is sent at once: far cheaper than an object at a time, and small enough to stay in the processor's cache."""


async def get(state: State, request: Request, resource: Resource, namespace: str, name: str) -> None:
    await wait_for(state.feed, request.query.get("resourceVersion", ""))
    entry = resource.cache.entries.get(resource.key(namespace, name))
    if entry is None:
        raise NotFound(resource.kind.resource, name)
    await answer_object(request, resource, await resource.show(entry.raw), entry=entry)


async def list_(state: State, request: Request, resource: Resource, namespace: str) -> None:
    selection = read_selection(request.query, resource.kind, namespace)
    page = await read_page(state, resource, namespace, selection, request.query)
    await answer_list(request, resource, await resource.shown(page.raws), page.revision, page)


async def answer_list(
    request: Request, resource: Resource, raws: Sequence[bytes], revision: int, page: Page | None = None
) -> None:
    """Answer with a list of objects, given their wire bytes. Raises NotAcceptable."""
    form = wanted(request, resource.kind)
    meta: Object = {"resourceVersion": str(revision)}
    if page is not None and page.token:
        meta["continue"] = page.token
        if page.remaining:
            meta["remainingItemCount"] = page.remaining
    if form.plain:
        head, tail = list_frame(resource.kind, meta)
        size = len(head) + len(tail) + sum(map(len, raws)) + max(0, len(raws) - 1)
        await request.answer_chunks(200, list_chunks(head, raws, tail, size), size)
    elif form.whole:
        entries = page.entries if page is not None else [None] * len(raws)
        chunks = await protobuf_chunks(resource, list(zip(raws, entries, strict=True)), meta)
        await request.answer_chunks(200, chunks, sum(map(len, chunks)), form.content_type)
    elif form.protobuf:
        chunks = await _metadata_chunks(form, resource.kind, raws, meta)
        await request.answer_chunks(200, chunks, sum(map(len, chunks)), form.content_type)
    else:
        include = request.query.get("includeObject", "")
        await answer_value(request, form, await _shown(form, resource.kind, raws, meta, include))


def list_frame(kind: Kind, meta: Object) -> tuple[bytes, bytes]:
    """What stands before and after the objects of a list."""
    head = f'{{"kind":"{kind.list_name}","apiVersion":"{kind.api_version}","metadata":'
    return head.encode() + orjson.dumps(meta) + b',"items":[', b"]}\n"


def list_chunks(head: bytes, raws: Sequence[bytes], tail: bytes, size: int) -> Iterator[bytes]:
    """A list of so many bytes in parts, each made when it is sent, in the memory of the one before."""
    yield head
    batch = max(1, CHUNK_BYTES * len(raws) // size)
    for start in range(0, len(raws), batch):
        part = raws[start : start + batch]
        yield b",".join((b"", *part)) if start else b",".join(part)
    yield tail


async def protobuf_chunks(resource: Resource, found: Sequence[tuple[bytes, Entry | None]], meta: Object) -> list[bytes]:
    """The same in protobuf. Others get their turn while the objects are encoded for the first time."""
    kind, chunks = resource.kind, list[bytes]()
    for batch in _batches(found, CHUNK // 4):
        chunks.append(b"".join([message_of(kind, raw, entry) for raw, entry in batch]))
        await asyncio.sleep(0)
    return protobuf.join_list(kind.api_version, kind.list_name, meta, chunks)


async def _metadata_chunks(form: Form, kind: Kind, raws: Sequence[bytes], meta: Object) -> list[bytes]:
    """The objects' metadata alone, in protobuf. Raises NotAcceptable."""
    whole, chunks = shown_list(form, kind, (), meta, ""), list[bytes]()
    message = protobuf.find_message(whole["apiVersion"], PARTIAL)
    for batch in _batches(raws, CHUNK // 4):
        part = shown_list(form, kind, [orjson.loads(raw) for raw in batch], meta, "")
        chunks.append(b"".join([protobuf.box(protobuf.encode_message(message, each)) for each in part["items"]]))
        await asyncio.sleep(0)
    return protobuf.join_list(whole["apiVersion"], whole["kind"], meta, chunks)


async def _shown(form: Form, kind: Kind, raws: Sequence[bytes], meta: Object, include: str) -> Object:
    """The list in another form. Others get their turn, as tables and the like take time. Raises NotAcceptable."""
    whole = shown_list(form, kind, (), meta, include)
    for batch in _batches(raws):
        part = shown_list(form, kind, [orjson.loads(raw) for raw in batch], meta, include)
        for name in whole.keys() & {"items", "rows"}:
            whole[name] += part[name]
        await asyncio.sleep(0)
    return whole


def _batches(found: Sequence[_T], size: int = CHUNK) -> Iterator[Sequence[_T]]:
    return (found[start : start + size] for start in range(0, len(found), size))
