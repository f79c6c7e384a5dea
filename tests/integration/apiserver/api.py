"""A client that shows what is on the wire: JSON in, status and JSON out, watches as events."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from cluster import identities
from tests.harness.control import ControlPlane

Object = dict[str, Any]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
CORE = "/api/v1"


@dataclass(frozen=True)
class Answer:
    code: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def version(self) -> str:
        return str(self.body["metadata"]["resourceVersion"])

    @property
    def names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.body["items"]]


class Events:
    """A watch's events, one at a time."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self, seconds: float = 5) -> Object:
        async with asyncio.timeout(seconds):
            line = await self.answer.content.readline()
        assert line, "the watch ended"
        event: Object = json.loads(line)
        return event

    async def take(self, count: int) -> list[tuple[str, str]]:
        """(type, name) of the next events."""
        events = [await self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]

    async def rest(self, seconds: float = 5) -> list[Object]:
        """What comes until the server ends the stream."""
        async with asyncio.timeout(seconds):
            return [json.loads(line) async for line in self.answer.content]


class Api:
    """One identity at one server. `namespace` is a fresh one for each test."""

    def __init__(self, server: str, session: aiohttp.ClientSession, namespace: str) -> None:
        self.server = server
        self.session = session
        self.namespace = namespace

    def path(self, plural: str, name: str = "", sub: str = "", group: str = "", version: str = "v1") -> str:
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        return "/".join(part for part in (f"{root}/namespaces/{self.namespace}/{plural}", name, sub) if part)

    async def send(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **headers: str
    ) -> Answer:
        encoded = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        data = io.BytesIO(encoded) if encoded is not None else None
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            sent["Content-Type"] = content_type
        async with self.session.request(method, self.server + path, data=data, headers=sent) as answer:
            text = await answer.text()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return Answer(answer.status, json.loads(text) if is_json else text, headers_of(answer))

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.send("GET", path, **headers)

    async def create(self, plural: str, obj: Object, query: str = "", group: str = "") -> Answer:
        return await self.send("POST", self.path(plural, group=group) + query, obj)

    async def patch(self, path: str, patch: Any, content_type: str = MERGE) -> Answer:
        return await self.send("PATCH", path, patch, content_type)

    async def delete(self, path: str, options: Object | None = None) -> Answer:
        return await self.send("DELETE", path, options)

    @asynccontextmanager
    async def watch(self, path: str, query: str = "", **headers: str) -> AsyncIterator[Events]:
        mark = "&" if "?" in path else "?"
        url = f"{self.server}{path}{mark}watch=1{query}"
        async with self.session.get(url, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            try:
                yield Events(answer)
            finally:
                if answer.connection is not None and answer.connection.transport is not None:
                    answer.connection.transport.abort()  # not waiting for the farewells of TLS


def headers_of(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def tls(plane: ControlPlane, identity: str = "") -> ssl.SSLContext:
    """TLS with the certificate of an identity, or with none."""
    context = ssl.create_default_context(cafile=str(plane.layout.pki / "ca.crt"))
    if identity:
        pair = identities.pair(plane.layout, identity)
        context.load_cert_chain(pair.certificate, pair.key)
    return context


@asynccontextmanager
async def connect(plane: ControlPlane, identity: str = "admin", token: str = "") -> AsyncIterator[Api]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    timeout = aiohttp.ClientTimeout(total=30)
    # Once closed, a connection that was upgraded must not outlive the test in TLS's farewells.
    connector = aiohttp.TCPConnector(ssl=tls(plane, identity), enable_cleanup_closed=True)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:
        yield Api(plane.server, session, f"test-{uuid.uuid4().hex[:8]}")


def config_map(name: str = "one", **fields: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **fields}


def pod(name: str = "one", **spec: Any) -> Object:
    containers = [{"name": "main", "image": "busybox:1"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def deployment(name: str = "one", replicas: int = 2) -> Object:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
