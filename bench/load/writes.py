"""Many clients that create objects, each one after another: in an API server, or the same bytes in etcd."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench import objects
from bench.load.common import connect, parser, report
from bench.table import percentile

Request = tuple[str, bytes]

ENDPOINTS = 5
"""Of each Service."""

KINDS: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "configmaps": ("/api/v1/namespaces/default/configmaps", objects.config_map),
    "pods": ("/api/v1/namespaces/default/pods", objects.pod),
    "other-pods": ("/api/v1/namespaces/default/pods", lambda number: objects.pod(number, "nobodys-scheduler")),
    "bindings": ("/api/v1/namespaces/default/pods/bench-{number}/binding", lambda number: binding(number)),
    "nodes": ("/api/v1/nodes", objects.node),
    "services": ("/api/v1/namespaces/default/services", objects.service),
    "slices": (
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        lambda number: objects.endpoint_slice(number, ENDPOINTS),
    ),
}


def binding(number: int) -> dict[str, Any]:
    target = {"apiVersion": "v1", "kind": "Node", "name": f"bench-node-{number % 100}"}
    meta = {"name": f"bench-{number}", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Binding", "metadata": meta, "target": target}


def request(options: argparse.Namespace, number: int) -> Request:
    path, make = KINDS[options.kind]
    body = json.dumps(make(number)).encode()
    if not options.etcd:
        return path.format(number=number), body
    key = base64.b64encode(f"/bench/{options.kind}/{number}".encode())
    return "/v3/kv/put", b'{"key":"%s","value":"%s"}' % (key, base64.b64encode(body))


async def work(options: argparse.Namespace) -> dict[str, float]:
    connections = [await connect(options) for _ in range(options.clients)]
    requests = (request(options, number) for number in range(options.first, options.first + options.count))
    latencies: list[float] = []
    started = time.perf_counter()

    async def client(index: int, requests: Iterator[Request]) -> None:
        for path, body in requests:
            before = time.perf_counter()
            answer = await connections[index].send("POST", path, body)
            assert answer.status in (200, 201), f"POST {path}: {answer.status} {answer.body[:300]!r}"
            latencies.append(time.perf_counter() - before)

    await asyncio.gather(*(client(index, requests) for index in range(options.clients)))
    seconds = time.perf_counter() - started
    for connection in connections:
        connection.close()
    return {"rate": options.count / seconds, "p50": percentile(latencies, 0.5), "p99": percentile(latencies, 0.99)}


if __name__ == "__main__":
    arguments = parser()
    arguments.add_argument("kind", choices=KINDS)
    arguments.add_argument("--etcd", action="store_true", help="the server is etcd's HTTP gateway")
    arguments.add_argument("--first", type=int, default=0, help="the number of the first object")
    given = arguments.parse_args()
    report(lambda: work(given))
