"""Aggregated APIs: a real extension server behind an APIService, asked by real clients through this one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.harness.control import ControlPlane
from tests.harness.kubectl import Kubectl
from tests.integration.apiserver.api import CORE, Answer, Api, Object
from tests.integration.apiserver.behind import expose, serving

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
ROOT = f"/apis/{GROUP}/{VERSION}"
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
NAME = f"{VERSION}.{GROUP}"
_KIND = {"group": GROUP, "version": VERSION, "kind": "NodeMetrics"}
_USAGE = {"type": "object", "description": "What the node uses now."}
DOCUMENT: Object = {
    "openapi": "3.0.0",
    "info": {"title": "metrics", "version": "v1"},
    "paths": {
        f"{ROOT}/nodes": {
            "get": {
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "list",
                "x-kubernetes-group-version-kind": _KIND,
            }
        }
    },
    "components": {
        "schemas": {
            "NodeMetrics": {
                "type": "object",
                "description": "How busy a node is.",
                "properties": {"usage": _USAGE},
                "x-kubernetes-group-version-kind": [_KIND],
            }
        }
    },
}


class MetricsServer:
    """Serves NodeMetrics as the metrics server does, and remembers who asked."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.released = asyncio.Event()
        self.closed = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if request.path == ROOT:
            return web.json_response(resource_list())
        if request.path == "/openapi/v3":
            return web.json_response({"paths": {ROOT[1:]: {"serverRelativeURL": f"/openapi/v3{ROOT}?hash=A1"}}})
        if request.path == f"/openapi/v3{ROOT}":
            return web.json_response(DOCUMENT)
        if request.path.endswith("/broken"):
            return await self.broken(request)
        if request.path.endswith("/echo"):
            return await self.echo(request)
        if request.path == f"{ROOT}/nodes" and request.query.get("watch"):
            return await self.watch(request)
        if request.path == f"{ROOT}/nodes" and request.method == "GET":
            return web.json_response({**head("NodeMetricsList"), "metadata": {}, "items": [node_metrics()]})
        if request.path == f"{ROOT}/nodes/n1":
            return web.json_response({**head("NodeMetrics"), **node_metrics()})
        if request.method == "POST":
            return web.json_response({"sent": await request.json()}, status=201)
        return web.json_response({"kind": "Status", "code": 404, "message": "no such thing"}, status=404)

    async def broken(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"half an ans")
        assert request.transport is not None
        request.transport.abort()
        return answer

    async def echo(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("refuse"):
            return web.Response(status=403, text="not here")
        socket = web.WebSocketResponse(protocols=("v1.echo",))
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"{request.headers['X-Remote-User']}: {message.data}")
        self.closed.set()
        return socket

    async def watch(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        await answer.write(json.dumps({"type": "ADDED", "object": node_metrics()}).encode() + b"\n")
        await self.released.wait()
        await answer.write(json.dumps({"type": "DELETED", "object": node_metrics()}).encode() + b"\n")
        return answer


def head(kind: str) -> Object:
    return {"kind": kind, "apiVersion": f"{GROUP}/{VERSION}"}


def resource_list() -> Object:
    resources: list[Any] = [
        {"name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics", "verbs": ["get", "list"]},
        {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]},
    ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{GROUP}/{VERSION}",
        "resources": resources,
    }


def node_metrics() -> Object:
    return {
        "metadata": {"name": "n1"},
        "timestamp": "2026-11-22T12:00:00Z",
        "window": "10s",
        "usage": {"cpu": "250m", "memory": "512Mi"},
    }


def api_service(namespace: str, bundle: str) -> Object:
    return {
        "metadata": {"name": NAME},
        "spec": {
            "group": GROUP,
            "version": VERSION,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": bundle,
            "service": {"namespace": namespace, "name": "metrics"},
        },
    }


async def available(api: Api, status: str) -> Object:
    """The Available condition, once it has this status."""
    async with asyncio.timeout(10):
        while True:
            answer = await api.get(f"{SERVICES}/{NAME}")
            found: list[Object] = (answer.body.get("status") or {}).get("conditions") or []
            if found and found[0]["status"] == status:
                return found[0]
            await asyncio.sleep(0.05)


@asynccontextmanager
async def extension(api: Api, plane: ControlPlane, folder: Path) -> AsyncIterator[MetricsServer]:
    """The extension server, registered and available; it lets nobody in but the API server."""
    server = MetricsServer()
    authority = plane.layout.pki / "front-proxy-ca.crt"
    host = f"metrics.{api.namespace}.svc"
    async with serving(folder, server.handle, host, client_ca=authority) as (port, bundle):
        await expose(api, "metrics", port)
        made = await api.send("POST", SERVICES, api_service(api.namespace, bundle))
        assert made.code == 201, made.message
        try:
            await available(api, "True")
            yield server
        finally:
            server.released.set()
            await api.delete(f"{SERVICES}/{NAME}")
            await api.get(SERVICES)


async def test_a_group_is_served_by_another_server(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    async with extension(api, plane, tmp_path) as server:
        condition = await available(api, "True")
        assert (condition["reason"], condition["message"]) == ("Passed", "all checks passed")
        server.seen.clear()
        answer = await api.get(f"{ROOT}/nodes/n1?pretty=1")
        assert answer.body["usage"]["cpu"] == "250m"
        (request,) = server.seen
        assert request.path_qs == f"{ROOT}/nodes/n1?pretty=1"
        assert request.headers["X-Remote-User"] == "kubernetes-admin"
        assert "system:masters" in request.headers.getall("X-Remote-Group")
        made = await api.send("POST", f"{ROOT}/nodes", {"some": "thing"})
        assert (made.code, made.body) == (201, {"sent": {"some": "thing"}})
        large = await api.send("POST", f"{ROOT}/nodes", {"some": "x" * 4_000_000})
        assert (large.code, large.reason) == (413, "RequestEntityTooLarge")
        missing = await api.get(f"{ROOT}/nodes/other")
        assert (missing.code, missing.message) == (404, "no such thing")


async def test_a_watch_comes_through_as_it_happens(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    async with extension(api, plane, tmp_path) as server, api.watch(f"{ROOT}/nodes") as events:
        assert await events.take(1) == [("ADDED", "n1")]
        server.released.set()
        assert [event["type"] for event in await events.rest()] == ["DELETED"]


async def test_who_leaves_is_left_at_the_other_end_too(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    async with extension(api, plane, tmp_path) as server:
        async with api.watch(f"{ROOT}/nodes") as events:
            await events.take(1)
        async with asyncio.timeout(5):
            while server.seen[-1].transport is not None:  # noqa: ASYNC110 - aiohttp tells it in no other way
                await asyncio.sleep(0.02)


async def test_an_answer_that_breaks_off_is_not_made_whole(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    async with extension(api, plane, tmp_path):
        with pytest.raises(aiohttp.ClientError):
            await api.get(f"{ROOT}/nodes/n1/broken")
        assert (await api.get(f"{ROOT}/nodes/n1")).code == 200


async def test_another_protocol_goes_both_ways(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    url = f"{api.server}{ROOT}/nodes/n1/echo"
    async with extension(api, plane, tmp_path) as server:
        async with api.session.ws_connect(url, protocols=("v1.echo",)) as socket:
            assert socket.protocol == "v1.echo"
            for text in ("one", "x" * 300_000):
                await socket.send_str(text)
                assert await socket.receive_str() == f"kubernetes-admin: {text}"
        async with asyncio.timeout(5):
            await server.closed.wait()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await api.session.ws_connect(f"{url}?refuse=1")
        assert refused.value.status == 403
        assert (await api.get(f"{ROOT}/nodes/n1")).code == 200


async def test_kubectl_top_and_raw(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    kubectl = Kubectl(plane.admin_conf)
    node = {"metadata": {"name": "n1"}, "status": {"capacity": {"cpu": "1", "memory": "1Gi"}}}
    assert (await api.send("POST", f"{CORE}/nodes", node)).code == 201
    async with extension(api, plane, tmp_path):
        raw = await asyncio.to_thread(kubectl, "get", "--raw", f"{ROOT}/nodes")
        assert json.loads(raw)["items"][0]["usage"]["memory"] == "512Mi"
        listed = await asyncio.to_thread(kubectl, "get", "apiservices", NAME, "--no-headers")
        assert listed.split()[:3] == [NAME, f"{api.namespace}/metrics", "True"]
        top = await asyncio.to_thread(kubectl, "top", "nodes", "--no-headers")
        assert top.split()[:2] == ["n1", "250m"]
    await api.delete(f"{CORE}/nodes/n1")


async def schema(api: Api, *, theirs: bool) -> None:
    """Wait until the group's schema is the other server's, or this one's own again."""
    async with asyncio.timeout(10):
        while True:
            paths: Object = (await api.get("/openapi/v3")).body["paths"]
            shown = (await api.get(paths[ROOT[1:]]["serverRelativeURL"])).body
            if (shown == DOCUMENT) is theirs:
                return
            await asyncio.sleep(0.05)


async def test_schemas_are_shown_beside_the_others(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    kubectl = Kubectl(plane.admin_conf)
    async with extension(api, plane, tmp_path):
        await schema(api, theirs=True)
        told = await asyncio.to_thread(kubectl, "explain", "nodes", "--api-version", f"{GROUP}/{VERSION}")
        assert "How busy a node is." in told
        assert "What the node uses now." in told
    await schema(api, theirs=False)


async def test_the_condition_says_what_is_missing(api: Api, plane: ControlPlane, tmp_path: Path) -> None:
    made = await api.send("POST", SERVICES, api_service(api.namespace, ""))
    assert made.code == 201
    try:
        condition = await available(api, "False")
        where = f'service/metrics in "{api.namespace}"'
        assert (condition["reason"], condition["message"]) == ("ServiceNotFound", f"{where} is not present")
        refused = await api.get(f"{ROOT}/nodes")
        assert (refused.code, refused.body) == (503, "service unavailable\n")
        spec = {"ports": [{"name": "https", "port": 443, "protocol": "TCP"}]}
        await api.create("services", {"metadata": {"name": "metrics"}, "spec": spec})
        condition = await until_reason(api, "EndpointsNotFound")
        assert condition["message"] == f"cannot find endpointslices for {where}"
        await api.delete(api.path("services", "metrics"))
        await expose(api, "metrics", 1)
        condition = await until_reason(api, "FailedDiscoveryCheck")
        assert "failing or missing response from https://" in condition["message"]
        assert "connect: connection refused" in condition["message"]
    finally:
        await api.delete(f"{SERVICES}/{NAME}")


async def until_reason(api: Api, reason: str) -> Object:
    while True:
        condition = await available(api, "False")
        if condition["reason"] == reason:
            return condition
        await asyncio.sleep(0.05)


async def test_discovery_tells_of_the_group_and_of_ours_when_it_has_gone(
    api: Api, plane: ControlPlane, tmp_path: Path
) -> None:
    aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

    async def groups() -> dict[str, Object]:
        answer = await api.get("/apis", Accept=aggregated)
        return {item["metadata"]["name"]: item for item in answer.body["items"]}

    async with extension(api, plane, tmp_path):
        (version,) = (await groups())[GROUP]["versions"]
        assert version["freshness"] == "Current"
        assert [entry["resource"] for entry in version["resources"]] == ["nodes", "pods"]
        plain = await api.get("/apis")
        assert GROUP in [group["name"] for group in plain.body["groups"]]
        assert (await api.get(f"/apis/{GROUP}")).body["preferredVersion"]["version"] == VERSION
        assert (await api.get(ROOT)).body == resource_list()
    # It has taken the place of this server's own, which is back.
    (version,) = (await groups())[GROUP]["versions"]
    assert [entry["verbs"] for entry in version["resources"]] == [["get", "list"], ["get", "list"]]
    assert (await api.get(f"{ROOT}/nodes")).body["items"] == []


async def answers(api: Api, path: str, code: int) -> Answer:
    """The answer to a GET, once it has this code."""
    async with asyncio.timeout(10):
        while True:
            answer = await api.get(path)
            if answer.code == code:
                return answer
            await asyncio.sleep(0.05)


async def test_local_apiservices_come_back(api: Api) -> None:
    listed = await api.get(SERVICES)
    assert {"v1.", "v1.apps"} <= set(listed.names)
    apps = next(item for item in listed.body["items"] if item["metadata"]["name"] == "v1.apps")
    assert apps["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    assert apps["status"]["conditions"][0]["reason"] == "Local"
    assert (await api.delete(f"{SERVICES}/v1.apps")).code == 200
    await answers(api, f"{SERVICES}/v1.apps", 200)


async def test_custom_groups_have_apiservices_while_they_are_served(api: Api) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    definition = {
        "metadata": {"name": "widgets.aggregated.example.com"},
        "spec": {
            "group": "aggregated.example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    assert (await api.send("POST", path, definition)).code == 201
    name = "v1.aggregated.example.com"
    found = await answers(api, f"{SERVICES}/{name}", 200)
    assert found.body["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "true"}
    assert (found.body["spec"]["groupPriorityMinimum"], found.body["spec"]["versionPriority"]) == (1000, 100)
    assert (await api.delete(f"{path}/widgets.aggregated.example.com")).code == 200
    await answers(api, f"{SERVICES}/{name}", 404)


async def test_extension_servers_learn_how_to_know_this_one(api: Api, plane: ControlPlane) -> None:
    found = await api.get(f"{CORE}/namespaces/kube-system/configmaps/extension-apiserver-authentication")
    data = found.body["data"]
    assert data["requestheader-client-ca-file"] == (plane.layout.pki / "front-proxy-ca.crt").read_text()
    assert data["client-ca-file"] == (plane.layout.pki / "ca.crt").read_text()
    assert data["requestheader-allowed-names"] == '["front-proxy-client"]'
