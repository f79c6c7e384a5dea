"""Watches pods until so many have a node: how fast they got theirs, from the first to the last."""

from __future__ import annotations

import argparse
import json
import time

from bench.load.common import connect, parser, report


async def work(options: argparse.Namespace) -> dict[str, float]:
    connection = await connect(options)
    bound: dict[str, float] = {}
    rest = b""
    async for chunk in connection.stream("GET", "/api/v1/pods?watch=1&resourceVersion=0"):
        now = time.perf_counter()
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if b'"nodeName"' in line:
                pod = json.loads(line)["object"]
                bound.setdefault(pod["metadata"]["name"], now)
        if len(bound) >= options.count:
            break
    connection.close()
    first, last = min(bound.values()), max(bound.values())
    return {"rate": (len(bound) - 1) / (last - first), "nodes": float(len(bound))}


if __name__ == "__main__":
    given = parser().parse_args()
    report(lambda: work(given))
