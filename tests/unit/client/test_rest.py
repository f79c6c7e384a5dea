"""The verbs: what goes over the wire, what comes back, and what is raised when it does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from api import errors
from api.types import apps_v1, coordination_v1, core_v1, discovery_v1, meta_v1, networking_v1
from client.codec import Unreadable
from client.kubeconfig import Config
from client.resources import Resource, register, resource_of
from client.rest import Client, PatchType, Unreachable

Handler = Callable[[web.Request], Any]


@asynccontextmanager
async def talking(handler: Handler, **config: Any) -> AsyncIterator[Client]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = Config(f"http://127.0.0.1:{runner.addresses[0][1]}", **config)
    try:
        async with Client(settings, "tester") as client:
            yield client
    finally:
        await runner.cleanup()


def answers(body: Any, status: int = 200, **headers: str) -> tuple[Handler, list[tuple[str, str, bytes, Any]]]:
    seen: list[tuple[str, str, bytes, Any]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.path_qs, await request.read(), request.headers))
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(text=text, status=status, headers=headers, content_type="application/json")

    return handler, seen


POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "x"}, "spec": {"containers": []}}


async def test_each_verb_has_its_method_path_and_body() -> None:
    handler, seen = answers(POD)
    async with talking(handler, token="t0ken") as client:
        pod = await client.get(core_v1.Pod, "a", "x")
        assert isinstance(pod, core_v1.Pod)
        assert pod.metadata is not None
        await client.create(core_v1.Pod(metadata=meta_v1.ObjectMeta(name="a", namespace="x")))
        await client.create(core_v1.Node(metadata=meta_v1.ObjectMeta(name="n")))
        await client.update(pod)
        await client.update_status(pod)
        await client.patch(core_v1.Pod, "a", {"metadata": {"labels": {"b": None}}}, "x")
        await client.patch(core_v1.Pod, "a", {"status": {}}, "x", "status", PatchType.STRATEGIC)
        await client.delete(core_v1.Pod, "a", "x", grace_period=0, uid="u", propagation="Background")
        await client.bind("x", "a", "u", "n1")
        await client.create_sub(core_v1.Pod, "a", "x", "eviction", {"kind": "Eviction"})
    assert [(method, path) for method, path, _, _ in seen] == [
        ("GET", "/api/v1/namespaces/x/pods/a"),
        ("POST", "/api/v1/namespaces/x/pods"),
        ("POST", "/api/v1/nodes"),
        ("PUT", "/api/v1/namespaces/x/pods/a"),
        ("PUT", "/api/v1/namespaces/x/pods/a/status"),
        ("PATCH", "/api/v1/namespaces/x/pods/a"),
        ("PATCH", "/api/v1/namespaces/x/pods/a/status"),
        ("DELETE", "/api/v1/namespaces/x/pods/a"),
        ("POST", "/api/v1/namespaces/x/pods/a/binding"),
        ("POST", "/api/v1/namespaces/x/pods/a/eviction"),
    ]
    bodies: list[Any] = [json.loads(body) if body else None for _, _, body, _ in seen]
    assert bodies[1] == {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "x"}}
    assert bodies[5] == {"metadata": {"labels": {"b": None}}}
    assert bodies[7] == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
        "preconditions": {"uid": "u"},
    }
    assert bodies[8]["target"] == {"apiVersion": "v1", "kind": "Node", "name": "n1"}
    assert [headers.get("Content-Type") for _, _, _, headers in seen][5:7] == [
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
    ]
    assert {headers["Authorization"] for _, _, _, headers in seen} == {"Bearer t0ken"}
    assert {headers["User-Agent"] for _, _, _, headers in seen} == {"tester"}


async def test_a_list_is_a_page() -> None:
    handler, seen = answers({"metadata": {"resourceVersion": "7", "continue": "more"}, "items": [POD, POD]})
    async with talking(handler) as client:
        page = await client.list(core_v1.Pod, labels="a in (b,c)", fields="spec.nodeName=n1", limit=2)
    assert (len(page.items), page.resource_version, page.continue_token) == (2, "7", "more")
    path = "/api/v1/pods?labelSelector=a+in+(b,c)&fieldSelector=spec.nodeName%3Dn1&limit=2"
    assert seen[0][1].replace("%28", "(").replace("%29", ")").replace("%2C", ",") == path


async def test_a_status_becomes_its_error() -> None:
    status = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": 'pods "a" not found'}
    handler, _ = answers(status, 404)
    async with talking(handler) as client:
        with pytest.raises(errors.NotFound, match='pods "a" not found'):
            await client.get(core_v1.Pod, "a", "x")


async def test_an_error_without_a_status_is_one_by_its_code() -> None:
    handler, _ = answers("<html>", 502)
    async with talking(handler) as client:
        with pytest.raises(errors.StatusError) as caught:
            await client.get(core_v1.Pod, "a", "x")
    assert caught.value.code == 502


async def test_who_is_told_to_come_back_later_does() -> None:
    calls = []

    async def handler(request: web.Request) -> web.Response:
        calls.append(request.path)
        if len(calls) < 3:
            return web.json_response(status=429, headers={"Retry-After": "0"}, data={"kind": "Status"})
        return web.json_response(POD)

    async with talking(handler) as client:
        await client.get(core_v1.Pod, "a", "x")
    assert len(calls) == 3


async def test_who_is_told_so_for_ever_gives_up() -> None:
    handler, seen = answers({"kind": "Status", "reason": "TooManyRequests", "code": 429}, 429, **{"Retry-After": "0"})
    async with talking(handler) as client:
        with pytest.raises(errors.TooManyRequests):
            await client.get(core_v1.Pod, "a", "x")
    assert len(seen) == 4


async def test_nonsense_is_unreadable_and_names_the_field() -> None:
    handler, _ = answers({"metadata": {"name": 5}})
    async with talking(handler) as client:
        with pytest.raises(Unreadable, match=r"\$\.metadata\.name"):
            await client.get(core_v1.Pod, "a", "x")


async def test_no_server_is_unreachable() -> None:
    config = Config("http://127.0.0.1:1")
    async with Client(config) as client:
        with pytest.raises(Unreachable, match=r"cannot|Cannot|failed|refused"):
            await client.get(core_v1.Pod, "a", "x")
        with pytest.raises(Unreachable):
            async with client.stream("GET", "/api/v1/pods"):
                pass


async def test_a_silent_server_is_unreachable() -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with talking(handler) as client:
        with pytest.raises(Unreachable):
            await client.request("GET", "/api", timeout=0.05)
        with pytest.raises(Unreachable):
            async with client.stream("GET", "/api", silence=0.05):
                pass
        with pytest.raises(Unreachable, match="no answer in time"):
            async with client.stream("GET", "/api", open_timeout=0.05):
                pass


async def test_a_stream_comes_by_lines_however_it_is_cut() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in (b"one\ntw", b"o", b"\nthree\n\nfo", b"ur"):
            await response.write(part)
            await asyncio.sleep(0.01)
        return response

    async with talking(handler) as client, client.stream("GET", "/log") as stream:
        assert [line async for line in stream.lines()] == [b"one", b"two", b"three", b"", b"four"]


async def test_a_stream_that_breaks_off_is_unreachable() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one\n")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with talking(handler) as client, client.stream("GET", "/log") as stream:
        lines = stream.lines()
        with pytest.raises(Unreachable):
            _ = [line async for line in lines]


async def test_a_large_event_of_a_watch_arrives_whole() -> None:
    event = {"type": "ADDED", "object": {"metadata": {"name": "a", "annotations": {"x": "y" * 1_500_000}}}}

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(json.dumps(event).encode() + b"\n")
        return response

    async with talking(handler) as client:
        (found,) = [obj async for _, obj in client.watch(core_v1.ConfigMap)]
        assert found.metadata is not None
        assert len((found.metadata.annotations or {})["x"]) == 1_500_000


async def test_an_error_within_a_watch_is_raised() -> None:
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (9)"}
    handler, seen = answers({"type": "ERROR", "object": status})
    async with talking(handler) as client:
        with pytest.raises(errors.Expired, match="too old"):
            _ = [event async for event in client.watch(core_v1.Pod, "x", resource_version="1", seconds=5)]
    path = "/api/v1/namespaces/x/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=5&resourceVersion=1"
    assert seen[0][1] == path


async def test_names_cannot_climb_out_of_their_path() -> None:
    handler, seen = answers(POD)
    async with talking(handler) as client:
        await client.get(core_v1.Pod, "../secrets/x", "x")
        with pytest.raises(ValueError, match="may not be empty"):
            await client.delete(core_v1.Pod, "", "x")
        with pytest.raises(ValueError, match=r"may not be '\.\.'"):
            await client.delete(core_v1.Pod, "..", "x")
    assert seen[0][1] == "/api/v1/namespaces/x/pods/..%2Fsecrets%2Fx"


@pytest.mark.parametrize(
    ("cls", "path"),
    [
        (core_v1.Pod, "/api/v1/namespaces/x/pods"),
        (core_v1.Endpoints, "/api/v1/namespaces/x/endpoints"),
        (core_v1.Node, "/api/v1/nodes"),
        (core_v1.Namespace, "/api/v1/namespaces"),
        (apps_v1.ReplicaSet, "/apis/apps/v1/namespaces/x/replicasets"),
        (discovery_v1.EndpointSlice, "/apis/discovery.k8s.io/v1/namespaces/x/endpointslices"),
        (coordination_v1.Lease, "/apis/coordination.k8s.io/v1/namespaces/x/leases"),
        (networking_v1.NetworkPolicy, "/apis/networking.k8s.io/v1/namespaces/x/networkpolicies"),
        (networking_v1.Ingress, "/apis/networking.k8s.io/v1/namespaces/x/ingresses"),
        (networking_v1.IngressClass, "/apis/networking.k8s.io/v1/ingressclasses"),
    ],
)
def test_each_type_has_its_path(cls: type[Any], path: str) -> None:
    assert resource_of(cls).path("x") == path


def test_what_is_no_object_has_none_and_a_custom_one_may_be_added() -> None:
    with pytest.raises(TypeError, match="PodSpec is not an object"):
        resource_of(core_v1.PodSpec)

    class Widget(core_v1.ConfigMap):
        pass

    register(Widget, Resource("example.com", "v1", "Widget", "widgets"))
    assert resource_of(Widget).path("x", "w", "status") == "/apis/example.com/v1/namespaces/x/widgets/w/status"
