"""Logs through the API server, from a server that speaks as a kubelet does, with its certificate."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError, web

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, Api, pod
from tests.integration.apiserver.behind import kubelet


@dataclass
class Kubelet:
    """Answers /containerLogs and remembers what it was asked."""

    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def logs(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, dict(request.query)))
        if request.path.endswith("/broken"):
            return web.Response(status=400, text="container broken is waiting to start\n")
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"first line\n")
        try:
            while request.query.get("follow"):
                await asyncio.sleep(0.02)
                await answer.write(b"more\n")
        except ConnectionError:
            self.left.set()
            raise
        await answer.write(b"last line\n")
        return answer


@asynccontextmanager
async def running(plane: ControlPlane) -> AsyncIterator[Kubelet]:
    answering = Kubelet()
    async with kubelet(plane, answering.logs) as answering.port:
        yield answering


async def place(api: Api, port: int, **spec: Any) -> None:
    """A node whose kubelet listens on `port`, and a pod on it."""
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    await api.send("POST", f"{CORE}/nodes", {"metadata": {"name": "n1"}})
    assert (await api.patch(f"{CORE}/nodes/n1/status", {"status": status})).code == 200
    assert (await api.create("pods", pod(nodeName="n1", **spec))).code == 201


async def test_a_log_is_passed_on(api: Api, plane: ControlPlane) -> None:
    async with running(plane) as answering:
        await place(api, answering.port)
        query = "?tailLines=5&timestamps=true&sinceSeconds=60&previous=true"
        answer = await api.get(api.path("pods", "one", "log") + query)
    assert (answer.code, answer.body) == (200, "first line\nlast line\n")
    assert answer.headers["content-type"] == "text/plain"
    options = {"tailLines": "5", "timestamps": "true", "sinceSeconds": "60", "previous": "true"}
    assert answering.asked == [(f"/containerLogs/{api.namespace}/one/main", options)]


async def test_a_followed_log_comes_as_it_is_written_and_ends_with_the_reader(api: Api, plane: ControlPlane) -> None:
    async with running(plane) as answering:
        await place(api, answering.port)
        async with api.session.get(api.server + api.path("pods", "one", "log") + "?follow=true") as answer:
            lines = [await asyncio.wait_for(answer.content.readline(), 5) for _ in range(3)]
            assert lines == [b"first line\n", b"more\n", b"more\n"]
            assert answer.connection is not None
            assert answer.connection.transport is not None
            answer.connection.transport.abort()
        await asyncio.wait_for(answering.left.wait(), 5)


@pytest.mark.parametrize("protocols", [(), ("binary.k8s.io",), ("other", "base64.binary.k8s.io")])
async def test_a_log_comes_over_a_websocket(api: Api, plane: ControlPlane, protocols: tuple[str, ...]) -> None:
    async with running(plane) as answering:
        await place(api, answering.port)
        async with api.session.ws_connect(api.server + api.path("pods", "one", "log"), protocols=protocols) as socket:
            assert socket.protocol == (protocols[-1] if protocols else None)
            said = [message.data async for message in socket]
            assert socket.close_code == 1000
    assert b"".join(each if isinstance(each, bytes) else base64.b64decode(each) for each in said) == (
        b"first line\nlast line\n"
    )


async def test_a_websockets_client_that_leaves_ends_its_log(api: Api, plane: ControlPlane) -> None:
    async with running(plane) as answering:
        await place(api, answering.port)
        url = api.server + api.path("pods", "one", "log")
        async with api.session.ws_connect(url + "?follow=true") as socket:
            await socket.send_str("is anybody there? " * 10_000)
            await socket.ping(b"still")
            assert await socket.receive_bytes() == b"first line\n"
        await asyncio.wait_for(answering.left.wait(), 5)
        with pytest.raises(WSServerHandshakeError) as refused:
            await api.session.ws_connect(url, protocols=("channel.k8s.io",))
        assert refused.value.status == 400


async def test_a_watchs_events_are_a_websockets_messages(api: Api) -> None:
    for name in ("a", "b"):
        assert (await api.create("configmaps", {"metadata": {"name": name}})).code == 201
    async with api.session.ws_connect(api.server + api.path("configmaps") + "?watch=true&timeoutSeconds=1") as socket:
        assert (await api.create("configmaps", {"metadata": {"name": "c"}})).code == 201
        events = [message.json() async for message in socket]
    assert [each["object"]["metadata"]["name"] for each in events] == ["a", "b", "c"]


async def test_what_the_kubelet_refuses_is_told(api: Api, plane: ControlPlane) -> None:
    async with running(plane) as answering:
        containers = [{"name": name, "image": "busybox:1"} for name in ("fine", "broken")]
        await place(api, answering.port, containers=containers)
        path = api.path("pods", "one", "log")
        refused = await api.get(f"{path}?container=broken")
        assert (refused.code, refused.reason) == (400, "BadRequest")
        assert refused.message == "container broken is waiting to start"
        unnamed = await api.get(path)
        assert (unnamed.code, unnamed.message) == (
            400,
            "a container name must be specified for pod one, choose one of: [fine broken]",
        )
    away = await api.get(f"{path}?container=fine")
    assert away.code == 500
    assert f"https://127.0.0.1:{answering.port}/containerLogs" in away.message


async def test_a_pod_without_a_node_has_said_nothing(api: Api) -> None:
    await api.create("pods", pod())
    answer = await api.get(api.path("pods", "one", "log"))
    assert (answer.code, answer.body) == (200, "")
    missing = await api.get(api.path("pods", "none", "log"))
    assert (missing.code, missing.message) == (404, 'pods "none" not found')


@pytest.mark.parametrize("query", ["tailLines=-1", "limitBytes=0", "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z"])
async def test_options_that_make_no_sense(api: Api, query: str) -> None:
    await api.create("pods", pod())
    answer = await api.get(f"{api.path('pods', 'one', 'log')}?{query}")
    assert (answer.code, answer.reason) == (422, "Invalid")
