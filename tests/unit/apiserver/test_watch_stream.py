"""What a watch sends, against a cache that changes just when it hurts."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from apiserver.endpoints import watch
from apiserver.endpoints.http import Request
from apiserver.endpoints.negotiate import PLAIN
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.watch import Wish, _Stream
from apiserver.registry.configmap import KIND


class Scene:
    """A cache with its feed, and a client that lets things happen while it is being written to."""

    def __init__(self) -> None:
        self.resource = Resource(KIND)
        self.resource.cache.fill([], 10)
        self.feed = SimpleNamespace(revision=10)
        self.state = SimpleNamespace(feed=self.feed, stopping=asyncio.Event())
        self.sent: list[dict[str, Any]] = []
        self.during_send: list[str] = []
        self.left = asyncio.Event()

    def put(self, name: str) -> None:
        self.feed.revision += 1
        stored = self.resource.encoding.store({"metadata": {"name": name, "namespace": "ns"}})
        self.resource.cache.put(f"ns/{name}", stored, self.feed.revision)
        self.resource.cache.wake()

    async def stream(self, chunk: bytes) -> None:
        self.sent += [orjson.loads(line) for line in chunk.splitlines()]
        if self.during_send:
            self.put(self.during_send.pop())
        await asyncio.sleep(0)

    async def end_stream(self) -> None:
        return

    async def disconnected(self) -> None:
        await self.left.wait()

    def run(self, seconds: float, start: int | None = 10) -> asyncio.Task[None]:
        wish = Wish(str(start or ""), start, seconds, bookmarks=True, mark_initial_end=False)
        state, request = cast(State, self.state), cast(Request, self)
        return asyncio.create_task(_Stream(state, request, self.resource, None, wish, PLAIN).run())

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(event["type"], event["object"]["metadata"]["resourceVersion"]) for event in self.sent]


async def test_a_bookmark_is_never_ahead_of_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BOOKMARK_SECONDS", 0.0)
    scene = Scene()
    scene.during_send = ["b"]
    running = scene.run(0.05)
    scene.put("a")
    await running
    seen = 10
    for kind, version in scene.events:
        if kind == "BOOKMARK":
            assert int(version) <= seen, scene.events
        seen = max(seen, int(version))
    assert [event for event in scene.events if event[0] == "ADDED"] == [("ADDED", "11"), ("ADDED", "12")]


async def test_what_happens_during_the_first_events_comes_after_them() -> None:
    scene = Scene()
    scene.put("a")
    scene.during_send = ["b"]
    await scene.run(0.02, start=None)
    assert scene.events == [("ADDED", "11"), ("ADDED", "12")]


async def test_a_client_that_leaves_while_it_is_written_to() -> None:
    scene = Scene()
    running = scene.run(60)
    await asyncio.sleep(0)
    scene.left.set()
    scene.put("a")
    await asyncio.wait_for(running, 30)
    assert scene.resource.cache.watchers == 0


async def test_a_server_that_stops() -> None:
    scene = Scene()
    running = scene.run(60)
    await asyncio.sleep(0.01)
    scene.state.stopping.set()
    scene.resource.cache.wake()
    await asyncio.wait_for(running, 30)


async def test_a_cache_that_is_read_anew() -> None:
    scene = Scene()
    running = scene.run(60)
    await asyncio.sleep(0.01)
    scene.resource.cache.fill([], 50)
    await asyncio.wait_for(running, 30)
    assert (scene.sent[0]["type"], scene.sent[0]["object"]["code"]) == ("ERROR", 410)
