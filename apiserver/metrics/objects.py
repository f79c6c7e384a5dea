"""The metrics API's objects, made of what was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from api.metadata import now, rfc3339
from api.quantity import format_bytes
from apiserver.metrics.points import PodUse, Use
from apiserver.registry.kind import Object
from apiserver.storage.cache import Entry

if TYPE_CHECKING:
    from apiserver.endpoints.state import State

API_VERSION = "metrics.k8s.io/v1beta1"


async def nodes(state: State, namespace: str, name: str) -> Sequence[Object]:
    """NodeMetrics of one node, or of all."""
    used, entries = await state.metrics.nodes(), state.resource("nodes").cache.entries
    wanted = sorted(used.keys() & entries.keys()) if not name else [name] if name in used and name in entries else []
    return [_node(entries[each], used[each]) for each in wanted]


async def pods(state: State, namespace: str, name: str) -> Sequence[Object]:
    """PodMetrics of one pod, of a namespace's, or of all."""
    used, entries = await state.metrics.pods(), state.resource("pods").cache.entries
    found = []
    for key in sorted(used):
        entry = entries.get("/".join(key))
        if entry is not None and namespace in ("", key[0]) and name in ("", key[1]):
            found.append(_pod(entry, used[key]))
    return found


def _node(entry: Entry, use: Use) -> Object:
    return {**_head("NodeMetrics", entry, use.at, use.window), "usage": _usage(use)}


def _pod(entry: Entry, use: PodUse) -> Object:
    containers = [{"name": name, "usage": _usage(each)} for name, each in use.containers.items()]
    return {**_head("PodMetrics", entry, use.at, use.window), "containers": containers}


def _head(kind: str, entry: Entry, at: float, window: float) -> Object:
    metadata: Object = {"name": entry.name, "creationTimestamp": rfc3339(now())}
    if entry.namespace:
        metadata["namespace"] = entry.namespace
    if entry.labels:
        metadata["labels"] = dict(entry.labels)
    return {
        "kind": kind,
        "apiVersion": API_VERSION,
        "metadata": metadata,
        "timestamp": rfc3339(datetime.fromtimestamp(int(at), UTC)),
        "window": _duration(window),
    }


def _usage(use: Use) -> Object:
    return {"cpu": f"{use.cpu}n" if use.cpu else "0", "memory": format_bytes(use.memory)}


def _duration(seconds: float) -> str:
    """As Go writes it: `1m0.5s`."""
    minutes, rest = divmod(round(seconds, 3), 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".")
    return f"{int(minutes)}m{text}s" if minutes else f"{text}s"
