"""What the API server keeps in memory: a watch that waits, and objects in the cache. Limits: what cannot be saved.

Only what was added is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bench.load.common import generate
from bench.plane import TOKEN, Plane
from bench.processes import resident
from bench.table import Row
from bench.wire import Connection

WATCHES, PODS = 1000, 10_000
PATH = "/api/v1/namespaces/default/configmaps"


def measure() -> Iterable[Row]:
    with Plane() as plane:
        connection, watch = asyncio.run(_watches(plane))
        name, note = "memory of an idle watch", f"and {connection:.1f} KB for the TLS connection under it"
        yield Row(name, watch, "KB", connection, "its TLS connection", 20, note=note)
    with Plane() as plane:
        plane.make_default_account()
        before = _restarted(plane)
        generate("writes", "other-pods", *plane.to_apiserver(), "--count", str(PODS))
        figure = _restarted(plane) - before
        answer = plane.target().get("/api/v1/pods?resourceVersion=0&limit=1")
        rest = answer.json()["metadata"]["remainingItemCount"]
        assert rest == PODS - 1, rest
        size = len(plane.target().get("/api/v1/pods?limit=500").body) / 500 * PODS / 1e6
        yield Row(f"memory of {PODS:,} pods in the cache", figure, "MB", size, "their bytes", 150)


def _restarted(plane: Plane) -> float:
    """Megabytes of the API server after it has read everything anew."""
    server = plane.processes["apiserver"]
    server.stop()
    server.start()
    server.wait_for("the API server's readiness", plane.ready)
    return resident(server.pid)


async def _watches(plane: Plane) -> tuple[float, float]:
    """KB that a connection adds, and KB that a watch on it adds."""
    target, connections = plane.target(), list[Connection]()
    connections.append(await Connection.open(target.host, target.port, target.tls, TOKEN))
    await connections[0].send("GET", f"{PATH}?limit=1")
    first = resident(plane.pids()["apiserver"])
    for _ in range(WATCHES):
        connections.append(await Connection.open(target.host, target.port, target.tls, TOKEN))
        await connections[-1].send("GET", f"{PATH}?limit=1")
    connected = resident(plane.pids()["apiserver"])
    tasks = [asyncio.create_task(_watch(connection)) for connection in connections[1:]]
    while await _watching(connections[0]) < WATCHES:  # noqa: ASYNC110  # another process is waited for
        await asyncio.sleep(0.2)
    watched = resident(plane.pids()["apiserver"])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return (connected - first) * 1024 / WATCHES, (watched - connected) * 1024 / WATCHES


async def _watch(connection: Connection) -> None:
    async for _ in connection.stream("GET", f"{PATH}?watch=1&resourceVersion=0"):
        pass


async def _watching(connection: Connection) -> int:
    """How many watches stand, by the server's own count."""
    pages = (await connection.send("GET", "/metrics")).body.decode()
    marker = 'apiserver_registered_watchers{group="",resource="configmaps"} '
    return int(float(next(line for line in pages.splitlines() if line.startswith(marker)).removeprefix(marker)))
