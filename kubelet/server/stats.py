"""The pages of what is used: `/stats/summary`, `/metrics/resource`, `/metrics/cadvisor`."""

from __future__ import annotations

import msgspec

from daemon.aio import web
from kubelet.stats.exposition import CONTENT_TYPE
from kubelet.stats.source import Stats


def routes(stats: Stats) -> list[web.AbstractRouteDef]:
    async def summary(request: web.Request) -> web.Response:
        only = request.query.get("only_cpu_and_memory", "false").lower() in ("true", "1", "t")
        body = msgspec.json.encode(await stats.summary(only_cpu_and_memory=only))
        return web.Response(body=body, content_type="application/json")

    async def resource(request: web.Request) -> web.Response:
        return _text(await stats.resource())

    async def cadvisor(request: web.Request) -> web.Response:
        return _text(await stats.cadvisor())

    return [
        web.get("/stats/summary", summary),
        web.get("/metrics/resource", resource),
        web.get("/metrics/cadvisor", cadvisor),
    ]


def _text(page: str) -> web.Response:
    return web.Response(body=page.encode(), headers={"Content-Type": CONTENT_TYPE})
