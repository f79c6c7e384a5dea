"""`/deletedLogs/…`: what containers wrote that are no more. Not Kubernetes'; `pytheas logs --deleted` asks for it."""

from __future__ import annotations

import asyncio
import time

import msgspec

from daemon.aio import web
from kubelet.logs.archive import Archive
from kubelet.logs.entries import Sieve
from kubelet.logs.files import LogReader
from kubelet.logs.follow import copy
from kubelet.logs.query import BadQuery, read_query


def routes(archive: Archive) -> list[web.AbstractRouteDef]:
    async def listing(request: web.Request) -> web.Response:
        namespace = request.match_info.get("namespace", "")
        pod, workload = request.query.get("pod", ""), request.query.get("workload", "")
        records = await asyncio.to_thread(archive.records, namespace, pod, workload)
        return web.Response(body=msgspec.json.encode({"items": records}), content_type="application/json")

    async def text(request: web.Request) -> web.StreamResponse:
        info = request.match_info
        try:
            query = read_query(request.query, time.time())
        except BadQuery as error:
            return web.Response(status=400, text=str(error))
        path = await asyncio.to_thread(archive.find, info["namespace"], info["uid"], info["container"], info["attempt"])
        if path is None:
            return web.Response(status=404, text="no such log is kept")
        reader = LogReader(path, query.tail)
        response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        try:
            await response.prepare(request)
            async for piece in copy(reader, Sieve(query)):
                await response.write(piece)
            await response.write_eof()
        finally:
            reader.close()
        return response

    name = "[A-Za-z0-9-]+"
    where = f"/deletedLogs/{{namespace:{name}}}"
    return [
        web.get("/deletedLogs", listing),
        web.get(where, listing),
        web.get(f"{where}/{{uid:{name}}}/{{container:{name}}}/{{attempt:[0-9]+}}", text),
    ]
