"""Watchers that wait and a writer: how long after the begin of a write each watcher has its event.

Of an API server, or of etcd through its HTTP gateway.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import time
from collections.abc import Callable

from bench import objects
from bench.load.common import connect, parser, report
from bench.table import percentile
from bench.wire import Connection

PATH = "/api/v1/namespaces/default/configmaps"
PREFIX = "/bench-watch/"


async def watch(connection: Connection, etcd: bool, started: Callable[[], None], heard: Callable[[], None]) -> None:
    """Call `started` when the watch stands, `heard` for each event."""
    if etcd:
        key, end = base64.b64encode(PREFIX.encode()), base64.b64encode(PREFIX[:-1].encode() + b"0")
        body = b'{"create_request":{"key":"%s","range_end":"%s"}}' % (key, end)
        chunks, marker = connection.stream("POST", "/v3/watch", body), b'"events"'
    else:
        chunks, marker = connection.stream("GET", f"{PATH}?watch=1&resourceVersion=0"), b'"ADDED"'
        started()  # what was there before is told first, so nothing is missed from now on
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if marker in line:
                heard()
            elif etcd and b'"created":true' in line:
                started()


def write_request(etcd: bool, number: int) -> tuple[str, bytes]:
    body = json.dumps(objects.config_map(number)).encode()
    if not etcd:
        return PATH, body
    key = base64.b64encode(f"{PREFIX}{number}".encode())
    return "/v3/kv/put", b'{"key":"%s","value":"%s"}' % (key, base64.b64encode(body))


class Round:
    """One write, and who has heard of it."""

    def __init__(self, watchers: int) -> None:
        self.begin = time.perf_counter()
        self.latencies: list[float] = []
        self.complete = asyncio.Event()
        self._watchers = watchers

    def heard(self) -> None:
        self.latencies.append(time.perf_counter() - self.begin)
        if len(self.latencies) == self._watchers:
            self.complete.set()


async def work(options: argparse.Namespace) -> dict[str, float]:
    writer, latencies, standing = await connect(options), list[float](), asyncio.Semaphore(0)
    now = Round(options.clients)
    tasks = [
        asyncio.create_task(watch(await connect(options), options.etcd, standing.release, lambda: now.heard()))
        for _ in range(options.clients)
    ]
    for _ in tasks:
        await standing.acquire()
    for number in range(options.first, options.first + options.count):
        path, body = write_request(options.etcd, number)
        now = Round(options.clients)
        answer = await writer.send("POST", path, body)
        assert answer.status in (200, 201), f"POST {path}: {answer.status} {answer.body[:300]!r}"
        await now.complete.wait()
        latencies += now.latencies
        await asyncio.sleep(0.005)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {"p50": percentile(latencies, 0.5), "p99": percentile(latencies, 0.99)}


if __name__ == "__main__":
    arguments = parser()
    arguments.add_argument("--etcd", action="store_true", help="the server is etcd's HTTP gateway")
    arguments.add_argument("--first", type=int, default=0, help="the number of the first object")
    given = arguments.parse_args()
    report(lambda: work(given))
