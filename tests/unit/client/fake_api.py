"""An API server's wire behaviour in a hundred lines, for unit tests of clients: list, watch, optimistic writes, 410.

It keeps plain dicts, knows nothing of kinds, and can be told to misbehave.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from api import errors


class FakeApi:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        """(path of the collection, name) → object."""
        self.version = 100
        self.log: list[tuple[int, str, str, dict[str, Any]]] = []
        """(version, event type, collection's path, object)."""
        self.compacted = 0
        self.requests: list[tuple[str, str]] = []
        self.fail: list[web.Response] = []
        """Answers to give instead of the right ones, first in first out, to anything but a watch."""
        self._changed = asyncio.Condition()
        self._watches: set[web.StreamResponse] = set()
        self.url = ""

    # -- what a test does to it

    async def put(self, path: str, name: str, **rest: Any) -> dict[str, Any]:
        """Create or replace an object behind the client's back."""
        namespace = path.split("/namespaces/")[1].split("/")[0] if "/namespaces/" in path else None
        old = self.objects.get((path, name))
        metadata = {"name": name, "uid": f"uid-{name}", **rest.pop("metadata", {})}
        if namespace:
            metadata["namespace"] = namespace
        return await self._write(path, name, {"metadata": metadata, **rest}, "MODIFIED" if old else "ADDED")

    async def drop(self, path: str, name: str) -> None:
        gone = self.objects.pop((path, name))
        await self._append("DELETED", path, gone)

    async def bookmark(self, path: str) -> int:
        """Tell the watches of a collection how far they are; returns that version."""
        await self._append("BOOKMARK", path, {"metadata": {"resourceVersion": str(self.version + 1)}})
        return self.version

    @property
    def watching(self) -> int:
        """How many watches are open."""
        return len(self._watches)

    def compact(self) -> None:
        """Forget the history: older watches are Gone."""
        self.compacted = self.version

    async def cut_watches(self) -> None:
        for response in list(self._watches):
            if response._req is not None and response._req.transport is not None:
                response._req.transport.abort()

    # -- how it answers

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs))
        if self.fail and "watch" not in request.query:
            return self.fail.pop(0)
        try:
            return await self._answer(request)
        except errors.StatusError as error:
            return web.json_response(error.status(), status=error.code)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if request.method == "GET" and (request.query.get("watch") or self._is_collection(path)):
            return await self._watch(request) if request.query.get("watch") else self._list(path)
        if request.method == "POST":
            return await self._post(path, await request.json())
        collection, name = path.rsplit("/", 1)
        if name in ("status", "scale"):
            collection, name = collection.rsplit("/", 1)
        old = self.objects.get((collection, name))
        if old is None:
            raise errors.NotFound(collection.rsplit("/", 1)[1], name)
        if request.method == "GET":
            return web.json_response(old)
        if request.method == "DELETE":
            await self.drop(collection, name)
            return web.json_response({"kind": "Status", "status": "Success"})
        body = await request.json()
        new = _merged(old, body) if request.method == "PATCH" else body
        asked = new["metadata"].get("resourceVersion")
        if asked and asked != old["metadata"]["resourceVersion"]:
            raise errors.Conflict(collection.rsplit("/", 1)[1], name)
        return web.json_response(await self._write(collection, name, new, "MODIFIED"))

    def _is_collection(self, path: str) -> bool:
        plural = path.rsplit("/", 1)[1]
        return plural in ("pods", "nodes", "leases", "events", "configmaps", "namespaces")

    async def _post(self, path: str, body: dict[str, Any]) -> web.Response:
        if path.endswith("/binding"):
            return await self._bind(path.removesuffix("/binding"), body)
        name = body["metadata"].get("name") or f"{body['metadata']['generateName']}{self.version}"
        if (path, name) in self.objects:
            raise errors.AlreadyExists(path.rsplit("/", 1)[1], name)
        body["metadata"].setdefault("name", name)
        return web.json_response(await self._write(path, name, body, "ADDED"), status=201)

    async def _bind(self, path: str, body: dict[str, Any]) -> web.Response:
        collection, name = path.rsplit("/", 1)
        pod = self.objects.get((collection, name))
        if pod is None:
            raise errors.NotFound("pods", name)
        if pod.get("spec", {}).get("nodeName"):
            raise errors.Conflict("pods/binding", name, f"pod {name} is already assigned to node")
        spec = {**pod.get("spec", {}), "nodeName": body["target"]["name"]}
        await self._write(collection, name, {**pod, "spec": spec}, "MODIFIED")
        return web.json_response({"kind": "Status", "status": "Success"}, status=201)

    def _list(self, path: str) -> web.Response:
        items = [obj for (where, _), obj in self.objects.items() if _within(path, where)]
        return web.json_response({"metadata": {"resourceVersion": str(self.version)}, "items": items})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        since = int(request.query.get("resourceVersion") or 0)
        if since < self.compacted:
            raise errors.Expired()
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        self._watches.add(response)
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: self.version > since)  # noqa: B023 - awaited at once
                    news = [entry for entry in self.log if entry[0] > since and _within(request.path, entry[2])]
                    since = self.version
                for _, kind, _, obj in news:
                    await response.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")
        finally:
            self._watches.discard(response)

    async def _write(self, path: str, name: str, obj: dict[str, Any], kind: str) -> dict[str, Any]:
        metadata = {**obj["metadata"], "resourceVersion": str(self.version + 1)}
        obj = self.objects[path, name] = {**obj, "metadata": metadata}
        await self._append(kind, path, obj)
        return obj

    async def _append(self, kind: str, path: str, obj: dict[str, Any]) -> None:
        async with self._changed:
            self.version += 1
            if kind == "DELETED":
                obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
            self.log.append((self.version, kind, path, obj))
            self._changed.notify_all()


def _merged(old: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    kept = {key: value for key, value in (old or {}).items() if key not in patch}
    return kept | {key: _merged((old or {}).get(key), value) for key, value in patch.items() if value is not None}


def _within(asked: str, path: str) -> bool:
    """Whether objects of the collection `path` belong to a list of `asked`, which may span all namespaces."""
    if "/namespaces/" in asked or "/namespaces/" not in path:
        return asked == path
    root, rest = path.split("/namespaces/")
    return f"{root}/{rest.split('/', 1)[1]}" == asked


@asynccontextmanager
async def serve(port: int = 0, api: FakeApi | None = None) -> AsyncIterator[FakeApi]:
    api = api or FakeApi()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await api.cut_watches()
        await runner.cleanup()
