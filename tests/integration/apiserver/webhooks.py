"""A webhook server over real HTTPS, and the configurations that point to it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.integration.apiserver.api import Answer, Api, Object
from tests.integration.apiserver.behind import serving

GROUP = "admissionregistration.k8s.io"
CONFIGURATIONS = f"/apis/{GROUP}/v1"
Answerer = Callable[[Object], Object]


class WebhookServer:
    """Answers each path as it is told to, and remembers what it was asked."""

    def __init__(self, port: int, bundle: str) -> None:
        self.port = port
        self.bundle = bundle
        self.asked: list[Object] = []
        self.connections: set[asyncio.Transport] = set()
        self.answers: dict[str, Answerer] = {}
        self.delay = 0.0

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"

    def on(self, path: str, answer: Answerer) -> Object:
        """Answer `path` so; the clientConfig that points there."""
        self.answers[path] = answer
        return {"url": self.url(path), "caBundle": self.bundle}

    def cut(self) -> None:
        """Break the connections off, as a restart does."""
        for transport in self.connections:
            transport.abort()

    async def handle(self, request: web.Request) -> web.Response:
        if isinstance(request.transport, asyncio.Transport):
            self.connections.add(request.transport)
        review = await request.json()
        asked = review["request"]
        self.asked.append(asked)
        await asyncio.sleep(self.delay)
        response = self.answers[request.path](asked)
        whole = {"apiVersion": review["apiVersion"], "kind": "AdmissionReview"}
        return web.json_response({**whole, "response": {"uid": asked["uid"], **response}})


def allow(asked: Object) -> Object:
    return {"allowed": True}


def patch(*operations: Object) -> Answerer:
    """Allow, and change the object."""
    encoded = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda asked: {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


def deny(message: str = "", **result: Any) -> Answerer:
    said = {"message": message, **result} if message else result
    return lambda asked: {"allowed": False, "status": said}


@asynccontextmanager
async def webhook_server(folder: Path, host: str = "localhost") -> AsyncIterator[WebhookServer]:
    server = WebhookServer(0, "")
    async with serving(folder, server.handle, host) as (server.port, server.bundle):
        yield server


def rule(*resources: str, operations: tuple[str, ...] = ("*",), group: str = "", version: str = "v1") -> Object:
    return {
        "operations": list(operations),
        "apiGroups": [group],
        "apiVersions": [version],
        "resources": list(resources),
    }


def hook(api: Api, client: Object, name: str = "one.webhooks.test", **fields: Any) -> Object:
    """A webhook for ConfigMaps in the test's own namespace."""
    return {
        "name": name,
        "clientConfig": client,
        "rules": [rule("configmaps")],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": api.namespace}},
        **fields,
    }


@asynccontextmanager
async def configured(api: Api, kind: str, *hooks: Object) -> AsyncIterator[Answer]:
    """A configuration of the kind (`Mutating`, `Validating`) that is there for a while, and known to the server."""
    path = f"{CONFIGURATIONS}/{kind.lower()}webhookconfigurations"
    name = f"{api.namespace}-{kind.lower()}"
    made = await api.send("POST", path, {"metadata": {"name": name}, "webhooks": list(hooks)})
    assert made.code == 201, made.message
    await api.get(f"{path}/{name}")  # waits until the cache has caught up
    try:
        yield made
    finally:
        await api.delete(f"{path}/{name}")
        await api.get(path)
