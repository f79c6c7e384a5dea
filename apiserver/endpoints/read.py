"""get and list: from the watch cache, as bytes that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from api.errors import NotFound
from apiserver.endpoints.http import Request
from apiserver.endpoints.negotiate import PLAIN, form_of
from apiserver.endpoints.selection import read_selection
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.versions import wait_for
from apiserver.storage.cache import Entry

CHUNK = 100
"""Objects sent at once: far cheaper than one at a time, and no second copy of the whole list."""


async def get(state: State, request: Request, resource: Resource, namespace: str, name: str) -> None:
    form = form_of(request.header(b"accept"))
    await wait_for(state.feed, request.query.get("resourceVersion", ""))
    entry = resource.cache.entries.get(resource.key(namespace, name))
    if entry is None:
        raise NotFound(resource.kind.resource, name)
    if form is PLAIN or form.plain:
        await request.answer(200, entry.raw)


async def list_(state: State, request: Request, resource: Resource, namespace: str) -> None:
    selection = read_selection(request.query, resource.kind, namespace)
    await wait_for(state.feed, request.query.get("resourceVersion", ""))
    entries = list(resource.cache.select(namespace, selection))
    chunks = list_chunks(resource, [entry.raw for entry in entries], state.feed.revision)
    await request.answer_chunks(200, chunks)


def list_chunks(resource: Resource, objects: Sequence[bytes], revision: int) -> list[bytes]:
    """The list object in parts to send one after the other."""
    kind = resource.kind
    head = f'{{"kind":"{kind.kind}List","apiVersion":"{kind.api_version}","metadata":{{"resourceVersion":"{revision}"}}'
    chunks = [f'{head},"items":['.encode()]
    for start in range(0, len(objects), CHUNK):
        joined = b",".join(objects[start : start + CHUNK])
        chunks.append(b"," + joined if start else joined)
    chunks.append(b"]}\n")
    return chunks


def raws(entries: Iterable[Entry]) -> list[bytes]:
    return [entry.raw for entry in entries]
