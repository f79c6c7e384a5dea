"""Properties of reads under writes: whatever the order, lists and watches tell one history, wholly and once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import Api, config_map, connect

PROPERTY = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NUMBERS = itertools.count()


@dataclass(frozen=True)
class Write:
    """Put a value under a name, or delete it."""

    name: str
    action: Literal["put", "delete"]
    value: int
    colour: str


WRITES = st.lists(
    st.builds(
        Write,
        name=st.sampled_from(["a", "b", "c", "d"]),
        action=st.sampled_from(["put", "put", "delete"]),
        value=st.integers(0, 9),
        colour=st.sampled_from(["red", "green"]),
    ),
    min_size=3,
    max_size=14,
)

State = dict[str, tuple[str, str]]
"""Value and colour, by name."""


@dataclass
class World:
    """A namespace of its own, and what was written into it."""

    api: Api
    version: str = ""
    state: State = field(default_factory=dict)
    history: list[tuple[str, str, str]] = field(default_factory=list)
    """(event type, name, value) of each write that changed something."""
    snapshots: dict[str, State] = field(default_factory=dict)
    """The state after the write of each version."""

    async def write(self, write: Write) -> None:
        path = self.api.path("configmaps", write.name)
        if write.action == "delete":
            answer = await self.api.delete(path)
            if answer.code == 404:
                assert write.name not in self.state
                return
            value, _ = self.state.pop(write.name)
            self.history.append(("DELETED", write.name, value))
            return
        new = (str(len(self.history)) + f"-{write.value}", write.colour)
        labels = {"colour": write.colour}
        obj = config_map(write.name, data={"value": new[0]})
        obj["metadata"]["labels"] = labels
        known = write.name in self.state
        answer = await self.api.send("PUT" if known else "POST", path if known else self.api.path("configmaps"), obj)
        assert answer.code in (200, 201), answer.message
        self.state[write.name] = new
        self.history.append(("MODIFIED" if known else "ADDED", write.name, new[0]))
        self.snapshots[answer.version] = dict(self.state)

    async def list(self, query: str = "") -> tuple[State, str, str]:
        """The state, its version, and the token of the next page."""
        answer = await self.api.get(self.api.path("configmaps") + f"?{query}")
        assert answer.code == 200, answer.message
        meta = answer.body["metadata"]
        items = [_item(each) for each in answer.body["items"]]
        assert len({name for name, _ in items}) == len(items)
        return dict(items), meta["resourceVersion"], meta.get("continue", "")


def _item(obj: dict[str, Any]) -> tuple[str, tuple[str, str]]:
    return obj["metadata"]["name"], (obj["data"]["value"], obj["metadata"]["labels"]["colour"])


async def _world(plane: ControlPlane, body: Any) -> None:
    async with connect(plane) as api:
        api.namespace = f"history-{next(NUMBERS)}"
        made = await api.send("POST", "/api/v1/namespaces", {"metadata": {"name": api.namespace}})
        assert made.code == 201, made.message
        world = World(api)
        _, world.version, _ = await world.list()
        await body(world)


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Hypothesis calls plain functions; a fresh loop for each example leaves nothing behind."""
    asyncio.run(coroutine)


async def _read(world: World, version: str, count: int, query: str = "") -> tuple[list[tuple[str, str, str]], str]:
    """So many events after a version, and the version of the last."""
    found: list[tuple[str, str, str]] = []
    async with world.api.watch(world.api.path("configmaps"), f"&resourceVersion={version}{query}") as events:
        for _ in range(count):
            event = await events.next()
            name, (value, _) = _item(event["object"])
            found.append((event["type"], name, value))
            version = event["object"]["metadata"]["resourceVersion"]
    return found, version


@PROPERTY
@given(writes=WRITES, breaks=st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_a_watch_that_breaks_off_skips_and_repeats_nothing(
    plane: ControlPlane, writes: list[Write], breaks: list[int]
) -> None:
    async def body(world: World) -> None:
        async def write() -> None:
            for each in writes:
                await world.write(each)

        writing = asyncio.create_task(write())
        seen: list[tuple[str, str, str]] = []
        version, lengths = world.version, itertools.cycle(breaks)
        while not writing.done() or len(seen) < len(world.history):
            ready = len(world.history) - len(seen)
            if not ready:
                await asyncio.sleep(0)
                continue
            events, version = await _read(world, version, min(next(lengths), ready))
            seen += events
        await writing
        assert seen == world.history

    _run(_world(plane, body))


@PROPERTY
@given(before=WRITES, after=WRITES, red=st.booleans(), at_any=st.booleans())
def test_list_and_watch_give_the_state_of_a_later_list(
    plane: ControlPlane, before: list[Write], after: list[Write], red: bool, at_any: bool
) -> None:
    """With a label selector, too: what leaves the selection is told as deleted."""

    async def body(world: World) -> None:
        for each in before:
            await world.write(each)
        selector = "labelSelector=colour%3Dred" if red else ""
        state, version, _ = await world.list(selector + ("&resourceVersion=0" if at_any else ""))
        for each in after:
            await world.write(each)
        last = await world.api.create("configmaps", _marked("last"))
        assert last.code == 201
        async with world.api.watch(world.api.path("configmaps"), f"&resourceVersion={version}&{selector}") as events:
            while True:
                event = await events.next()
                name, value = _item(event["object"])
                if name == "last":
                    break
                if event["type"] == "DELETED":
                    del state[name]
                else:
                    assert (event["type"] == "ADDED") == (name not in state)
                    state[name] = value
        assert state == {name: value for name, value in world.state.items() if not red or value[1] == "red"}

    _run(_world(plane, body))


def _marked(name: str) -> dict[str, Any]:
    obj = config_map(name, data={"value": ""})
    obj["metadata"]["labels"] = {"colour": "red"}
    return obj


@PROPERTY
@given(before=WRITES, between=WRITES, limit=st.integers(1, 3))
def test_pages_are_one_snapshot_whatever_is_written_meanwhile(
    plane: ControlPlane, before: list[Write], between: list[Write], limit: int
) -> None:
    async def body(world: World) -> None:
        for each in before:
            await world.write(each)
        expected, whole = dict(world.state), State()
        page, version, token = await world.list(f"limit={limit}")
        whole.update(page)
        writes = iter(between)
        while token:
            for each in itertools.islice(writes, 2):
                await world.write(each)
            page, same, token = await world.list(f"limit={limit}&continue={token}")
            assert same == version
            assert not page.keys() & whole.keys()
            whole.update(page)
        assert whole == expected
        for at, snapshot in world.snapshots.items():
            exact, *_ = await world.list(f"resourceVersion={at}&resourceVersionMatch=Exact")
            assert exact == snapshot

    _run(_world(plane, body))


@PROPERTY
@given(before=WRITES, after=WRITES)
def test_a_watch_list_is_a_list_and_a_watch_in_one(
    plane: ControlPlane, before: list[Write], after: list[Write]
) -> None:
    async def body(world: World) -> None:
        for each in before:
            await world.write(each)
        expected = dict(world.state)
        query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        async with world.api.watch(world.api.path("configmaps"), query) as events:
            state = State()
            while (event := await events.next())["type"] != "BOOKMARK":
                assert event["type"] == "ADDED"
                state.update([_item(event["object"])])
            assert event["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
            assert state == expected
            told = len(world.history)
            for each in after:
                await world.write(each)
            for type_, name, value in world.history[told:]:
                event = await events.next()
                assert (event["type"], *_item(event["object"])[:1]) == (type_, name)
                assert _item(event["object"])[1][0] == value

    _run(_world(plane, body))
