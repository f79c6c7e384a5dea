"""The pages that are no resources: health, version, metrics, OpenAPI. Hosted by FastAPI."""

from __future__ import annotations

import platform
from collections.abc import Awaitable, Callable, Mapping

import orjson
from fastapi import FastAPI, Header, Query
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.errors import NoSuchResource, StatusError
from apiserver.endpoints import openapi, openapi_protobuf
from apiserver.endpoints.state import State
from apiserver.registry.kind import Kind

Check = Callable[[], str | None]

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0+pytheas"}


def site(state: State, ready: Mapping[str, Check], metrics: CollectorRegistry) -> FastAPI:
    """The application. `ready` are the checks that only /readyz asks, beside those of all health pages."""
    app = FastAPI(title="Pytheas API server", docs_url=None, redoc_url=None, openapi_url=None)
    live: dict[str, Check] = {"ping": lambda: None, "etcd": lambda: _etcd(state)}
    app.add_api_route("/healthz", _page("healthz", live))
    app.add_api_route("/livez", _page("livez", {"ping": live["ping"]}))
    app.add_api_route("/readyz", _page("readyz", {**live, **ready}))
    for path, checks in (("healthz", live), ("livez", {"ping": live["ping"]}), ("readyz", {**live, **ready})):
        for name, check in checks.items():
            app.add_api_route(f"/{path}/{name}", _page(f"{path}/{name}", {name: check}))
    app.add_api_route("/version", _version)
    app.add_api_route("/metrics", _metrics(metrics))
    documents = Documents(state)
    app.add_api_route("/openapi/v2", documents.v2)
    app.add_api_route("/openapi/v3", documents.index)
    app.add_api_route("/openapi/v3/{path:path}", documents.v3)
    app.add_exception_handler(404, _no_page)
    app.add_exception_handler(405, _no_page)
    return app


async def _no_page(request: object, error: Exception) -> Response:
    """A path or method that no page has."""
    code = getattr(error, "status_code", 404)
    return _refusal(NoSuchResource() if code == 404 else StatusError("method not allowed", code=code))


def _refusal(error: StatusError) -> Response:
    return Response(orjson.dumps(error.status()), error.code, media_type="application/json")


class Documents:
    """The OpenAPI documents of the served kinds: each is made when first asked for, and kept while it is true."""

    def __init__(self, state: State) -> None:
        self._catalog = state.catalog
        self._generation = -1
        self._kinds: tuple[Kind, ...] = ()
        self._made: dict[str, bytes] = {}

    async def index(self) -> Response:
        return self._answer("v3", lambda: orjson.dumps(openapi.v3_index(self._current())))

    async def v2(self, accept: str = Header("")) -> Response:
        if openapi_protobuf.ASKED_AS in accept:
            media_type = openapi_protobuf.CONTENT_TYPE
            return self._answer(media_type, lambda: openapi_protobuf.encode(openapi.v2(self._current())), media_type)
        return self._answer("v2", lambda: orjson.dumps(openapi.v2(self._current())))

    async def v3(self, path: str) -> Response:
        group_version = path.removeprefix("apis/").removeprefix("api/")
        if not any(kind.api_version == group_version for kind in self._current()):
            return _refusal(NoSuchResource())
        return self._answer(path, lambda: openapi.v3_document(group_version, self._current()))

    def _current(self) -> tuple[Kind, ...]:
        if self._generation != self._catalog.generation:
            self._generation, self._kinds = self._catalog.generation, self._catalog.kinds
            self._made.clear()
        return self._kinds

    def _answer(self, name: str, make: Callable[[], bytes], media_type: str = "application/json") -> Response:
        self._current()
        if name not in self._made:
            self._made[name] = make()
        return Response(self._made[name], media_type=media_type, headers={"cache-control": "no-cache, private"})


def _etcd(state: State) -> str | None:
    return None if state.feed.connected else "etcd cannot be reached"


def _page(name: str, checks: Mapping[str, Check]) -> Callable[..., Awaitable[Response]]:
    async def answer(verbose: str | None = Query(None), exclude: list[str] = Query([])) -> Response:  # noqa: B008
        asked = {check: ask for check, ask in checks.items() if check not in exclude}
        failed = {check: why for check, ask in asked.items() if (why := ask())}
        if not failed and verbose is None:
            return PlainTextResponse("ok")
        lines = [f"[-]{check} failed: {failed[check]}" if check in failed else f"[+]{check} ok" for check in asked]
        lines.append(f"{name} check {'failed' if failed else 'passed'}\n")
        return PlainTextResponse("\n".join(lines), status_code=500 if failed else 200)

    return answer


async def _version() -> dict[str, str]:
    build = {"gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z"}
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    runtime = {"goVersion": f"python{platform.python_version()}", "compiler": "cpython", "platform": f"linux/{machine}"}
    return {**VERSION, **build, **runtime}


def _metrics(registry: CollectorRegistry) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return answer
