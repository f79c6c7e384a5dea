"""Connections through the API server: proxies of nodes, pods and services, and what leads into a pod."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, Api, connect, pod
from tests.integration.apiserver.behind import expose, kubelet, own_address, serving
from tests.integration.apiserver.test_logs import place

MIB = 1024 * 1024
PATIENCE = aiohttp.ClientTimeout(total=600)


@dataclass
class Asked:
    """Requests as a server behind a proxy sees them; it tells what it was asked, and echoes."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._echo(request)
        if request.path == "/digest":
            return await _digest(request)
        if request.path == "/bytes":
            return await _bytes(request)
        if request.path == "/refuse":
            return web.Response(status=413, text="too much")
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, request.raw_path, headers, await request.read()))
        return web.Response(status=203, text=request.method, headers={"X-Answer": "yes"})

    async def _echo(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.raw_path, {}, b""))
        if "refused" in request.path:
            return web.Response(status=500, text="unable to upgrade connection: container not found")
        answer = web.WebSocketResponse(protocols=("v5.channel.k8s.io",), compress=False)
        await answer.prepare(request)
        async for message in answer:
            await answer.send_bytes(message.data)
        return answer


async def _digest(request: web.Request) -> web.Response:
    digest = hashlib.sha256()
    async for piece in request.content.iter_any():
        digest.update(piece)
    return web.Response(text=digest.hexdigest())


async def _bytes(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(int(request.query["mib"])):
        await answer.write(bytes(MIB))
    return answer


def resident(plane: ControlPlane) -> int:
    return int(Path(f"/proc/{plane.apiserver.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_any_request_to_a_node_is_passed_on(api: Api, plane: ControlPlane) -> None:
    asked = Asked()
    async with kubelet(plane, asked.answer) as port:
        await place(api, port)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
            body = None if method in ("GET", "HEAD") else b"some body"
            answer = await api.send(method, f"{CORE}/nodes/n1/proxy/some/path/?a=b&a=c", body, X_Own="kept")
            assert (answer.code, answer.body) == (203, "" if method == "HEAD" else method)
            assert answer.headers["x-answer"] == "yes"
            seen = asked.requests.pop()
            assert seen[:2] == (method, "/some/path/?a=b&a=c")
            assert (seen[2]["x-own"], seen[3]) == ("kept", body or b"")
            assert "authorization" not in seen[2]
        assert (await api.get(f"{CORE}/nodes/n1:{port}/proxy")).code == 203
        assert asked.requests.pop()[1] == "/"
    away = await api.get(f"{CORE}/nodes/n1/proxy/pods")
    assert (away.code, away.reason) == (503, "ServiceUnavailable")
    assert away.message == f"error trying to reach service: dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert (await api.get(f"{CORE}/nodes/none/proxy/pods")).message == 'nodes "none" not found'


@pytest.mark.parametrize("mib", [64, pytest.param(1024, marks=pytest.mark.soak)])
async def test_bodies_of_any_length_pass_in_little_memory(api: Api, plane: ControlPlane, mib: int) -> None:
    piece, digest = os.urandom(MIB), hashlib.sha256()
    for _ in range(mib):
        digest.update(piece)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(mib):
            yield piece

    async with kubelet(plane, Asked().answer) as port:
        await place(api, port)
        before, path = resident(plane), f"{api.server}{CORE}/nodes/n1/proxy"
        for headers in ({}, {"Content-Length": str(mib * MIB)}):
            async with api.session.post(f"{path}/digest", data=body(), headers=headers, timeout=PATIENCE) as answer:
                assert (answer.status, await answer.text()) == (200, digest.hexdigest())
        async with api.session.get(f"{path}/bytes?mib={mib}", timeout=PATIENCE) as answer:
            size = 0
            async for got in answer.content.iter_any():
                size += len(got)
        assert size == mib * MIB
        assert resident(plane) - before < 24 * MIB


async def test_a_body_may_be_refused_before_it_has_come(api: Api, plane: ControlPlane) -> None:
    more = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield bytes(MIB)
        await more.wait()

    async with kubelet(plane, Asked().answer) as port:
        await place(api, port)
        async with api.session.post(f"{api.server}{CORE}/nodes/n1/proxy/refuse", data=body()) as answer:
            assert (answer.status, await answer.text()) == (413, "too much")
            more.set()


async def test_pods_and_services_are_reached_at_their_addresses(api: Api, tmp_path: Path) -> None:
    asked = Asked()
    async with serving(tmp_path, asked.answer, "anything") as (port, _):
        assert (await api.create("pods", pod())).code == 201
        path = api.path("pods", f"https:one:{port}", "proxy")
        assert (await api.get(path)).code == 400, "it has no address yet"
        for address, code in (("127.0.0.1", 400), ("169.254.169.254", 400), (own_address(), 203)):
            status = {"status": {"podIP": address, "podIPs": [{"ip": address}]}}
            assert (await api.patch(api.path("pods", "one", "status"), status)).code == 200
            assert (await api.get(f"{path}/below?x=y")).code == code, address
        assert asked.requests.pop()[1] == "/below?x=y"
        await expose(api, "behind", port)
        for name in ("https:behind:443", "https:behind:https", "https:behind:"):
            assert (await api.get(api.path("services", name, "proxy"))).code == 203, name
        assert (await api.get(api.path("services", "https:behind:444", "proxy"))).code == 503
        assert (await api.get(api.path("services", "ftp:behind:443", "proxy"))).code == 400


async def test_another_protocol_is_spoken_with_the_kubelet(api: Api, plane: ControlPlane) -> None:
    asked = Asked()
    async with kubelet(plane, asked.answer) as port:
        await place(api, port)
        query = "?command=echo&command=a+b&stdin=true&stdout=1&tty=false"
        url = api.server + api.path("pods", "one", "exec") + query
        async with api.session.ws_connect(url, protocols=("v5.channel.k8s.io",)) as socket:
            assert socket.protocol == "v5.channel.k8s.io"
            await socket.send_bytes(b"x" * MIB)
            assert await socket.receive_bytes() == b"x" * MIB
        where = f"/{api.namespace}/one"
        assert asked.requests.pop()[1] == f"/exec{where}/main?input=1&output=1&command=echo&command=a+b"
        url = api.server + api.path("pods", "one", "portforward") + "?ports=80&ports=81,82"
        async with api.session.ws_connect(url):
            assert asked.requests.pop()[1] == f"/portForward{where}?port=80%2C81%2C82"
        plain = await api.send("POST", api.path("pods", "one", "attach") + "?stdout=true")
        assert (plain.code, plain.message) == (400, "Upgrade request required")
        unknown = await api.get(api.path("pods", "one", "exec") + "?container=none&stdout=true")
        assert (unknown.code, unknown.message) == (400, "container none is not valid for pod one")


async def test_what_the_kubelet_says_instead_is_told(api: Api, plane: ControlPlane) -> None:
    async with kubelet(plane, Asked().answer) as port:
        await place(api, port, containers=[{"name": "refused", "image": "busybox:1"}])
        url = api.server + api.path("pods", "one", "exec") + "?command=ls&stdout=true"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await api.session.ws_connect(url)
        assert refused.value.status == 500


async def test_a_reader_comes_into_no_pod_by_the_get_of_a_websocket(api: Api, plane: ControlPlane) -> None:
    asked = Asked()
    async with kubelet(plane, asked.answer) as port, connect(plane, identity="scheduler") as reader:
        await place(api, port)
        assert (await reader.get(f"{CORE}/nodes/n1/proxy/pods")).code == 203
        paths = [api.path("pods", "one", sub) for sub in ("exec", "attach", "portforward")]
        paths += [f"{CORE}/nodes/n1/proxy/{path}" for path in ("exec/a/b/c", "./run/a/b/c", "x/../portForward/a/b")]
        for path in paths:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await reader.session.ws_connect(f"{reader.server}{path}?stdout=true&command=ls")
            assert refused.value.status == 403, path
        assert [each[1] for each in asked.requests] == ["/pods"]


async def test_a_connection_ends_on_both_sides_with_either(api: Api, plane: ControlPlane) -> None:
    ended: asyncio.Queue[Any] = asyncio.Queue()

    async def serve(request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        try:
            if request.query.get("port") == "1":
                await answer.close()
            await answer.receive()
        finally:
            ended.put_nowait(request.path)
        return answer

    async with kubelet(plane, serve) as port:
        await place(api, port)
        url = api.server + api.path("pods", "one", "portforward")
        async with api.session.ws_connect(f"{url}?ports=1") as socket:
            assert (await socket.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        await asyncio.wait_for(ended.get(), 5)
        socket = await api.session.ws_connect(f"{url}?ports=2")
        transport = socket.get_extra_info("ssl_object") and socket._conn and socket._conn.transport
        assert transport is not None
        transport.abort()
        await asyncio.wait_for(ended.get(), 5)
        await socket.close()
