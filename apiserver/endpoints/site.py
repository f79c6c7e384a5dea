"""The pages that are no resources: health, version, metrics, OpenAPI. Hosted by FastAPI."""

from __future__ import annotations

import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import FastAPI, Query
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.errors import NoSuchResource, StatusError
from apiserver.aggregation.schemas import Schemas
from apiserver.endpoints.openapi_pages import Pages, refusal
from apiserver.endpoints.openid import CONFIGURATION, KEYS, OpenId
from apiserver.endpoints.state import State

Check = Callable[[], str | None]

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0+pytheas"}


def site(state: State, ready: Mapping[str, Check], metrics: CollectorRegistry, elsewhere: Schemas) -> FastAPI:
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
    pages = Pages(state.catalog, elsewhere)
    app.add_api_route("/openapi/v2", pages.v2)
    app.add_api_route("/openapi/v3", pages.index)
    app.add_api_route("/openapi/v3/{path:path}", pages.v3)
    openid = OpenId(state.issuer)
    app.add_api_route(CONFIGURATION, openid.configuration)
    app.add_api_route(KEYS, openid.keys)
    routes = [route.path for route in app.routes if isinstance(route, APIRoute) and "{" not in route.path]
    app.add_api_route("/", _root(routes, pages))
    app.add_exception_handler(404, _no_page)
    app.add_exception_handler(405, _no_page)
    return app


def _root(routes: Sequence[str], pages: Pages) -> Callable[[], Awaitable[dict[str, list[str]]]]:
    async def answer() -> dict[str, list[str]]:
        return {"paths": sorted({*routes, *pages.paths()})}

    return answer


async def _no_page(request: object, error: Exception) -> Response:
    """A path or method that no page has."""
    code = getattr(error, "status_code", 404)
    return refusal(NoSuchResource() if code == 404 else StatusError("method not allowed", code=code))


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
