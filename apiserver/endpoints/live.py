"""get and list of kinds that are not kept: their objects are made for each request."""

from __future__ import annotations

import orjson

from api.errors import NotFound
from apiserver.endpoints.answer import answer_object, answer_value, shown_list, wanted
from apiserver.endpoints.http import Request
from apiserver.endpoints.selection import read_selection
from apiserver.endpoints.state import Resource, State
from apiserver.registry.kind import Live, Object
from apiserver.storage.cache import Entry


async def answer(state: State, request: Request, resource: Resource, live: Live, namespace: str, name: str) -> None:
    """Raises NotFound, BadRequest, NotAcceptable."""
    kind = resource.kind
    if name:
        found = await live(state, namespace, name)
        if not found:
            raise NotFound(f"{kind.kind.lower()}.{kind.group}", f"{namespace}/{name}" if namespace else name)
        await answer_object(request, resource, orjson.dumps(found[0]))
        return
    selection = read_selection(request.query, kind, namespace)
    objects = await live(state, namespace, selection.name if selection is not None else "")
    if selection is not None:
        objects = [each for each in objects if selection.matches(_entry(resource, each))]
    form = wanted(request, kind)
    await answer_value(request, form, shown_list(form, kind, objects, {}, request.query.get("includeObject", "")))


def _entry(resource: Resource, obj: Object) -> Entry:
    meta = obj["metadata"]
    key = resource.key(meta.get("namespace") or "", meta["name"])
    return Entry(key, b"", 0, meta.get("labels") or {}, {})
