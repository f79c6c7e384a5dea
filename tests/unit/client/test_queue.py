"""The work queue: once each, one worker each, later and later after failures."""

from __future__ import annotations

import asyncio

import pytest

from api import errors
from client.controller import run_workers
from client.queue import ShutDown, WorkQueue
from client.rest import Unreachable


async def test_a_key_waits_once() -> None:
    queue = WorkQueue()
    queue.add("a")
    queue.add("b")
    queue.add("a")
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_added_in_work_comes_back_when_done_and_not_before() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await asyncio.wait_for(queue.get(), 1) == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_of_two_times_the_earlier_counts() -> None:
    queue = WorkQueue()
    queue.add_after("a", 30)
    queue.add_after("a", 0.01)
    queue.add_after("a", 30)
    assert await asyncio.wait_for(queue.get(), 1) == "a"
    queue.done("a")
    await asyncio.sleep(0.03)
    assert len(queue) == 0


def test_failures_wait_longer_until_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = WorkQueue(first_delay=0.01, most_delay=0.04, uniform=lambda low, high: high)
    waits: list[float] = []
    monkeypatch.setattr(queue, "add_after", lambda key, seconds: waits.append(seconds))
    for _ in range(4):
        queue.add_rate_limited("a")
    assert waits == pytest.approx([0.01, 0.02, 0.04, 0.04])
    queue.forget("a")
    queue.add_rate_limited("a")
    assert waits[4] == pytest.approx(0.01)


async def test_a_key_whose_time_has_come_is_ready() -> None:
    queue = WorkQueue(first_delay=0.01)
    queue.add_rate_limited("a")
    assert len(queue) == 0
    assert await asyncio.wait_for(queue.get(), 5) == "a"


async def test_shut_down_lets_workers_finish() -> None:
    queue = WorkQueue()
    queue.add("a")
    waiting = asyncio.create_task(queue.get())
    assert await waiting == "a"
    second = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.shut_down()
    queue.add("b")
    with pytest.raises(ShutDown):
        await second


async def test_a_cancelled_worker_does_not_take_a_wake_up_with_it() -> None:
    queue = WorkQueue()
    first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")  # wakes `first`
    first.cancel()
    assert await asyncio.wait_for(second, 1) == "a"


async def test_workers_reconcile_each_key_alone_and_again_after_failures() -> None:
    queue = WorkQueue(first_delay=0.001)
    failures: dict[str, list[Exception]] = {
        "conflict": [errors.Conflict("pods", "x")],
        "away": [Unreachable("gone"), Unreachable("gone")],
        "broken": [ZeroDivisionError()],
        "fine": [],
    }
    running: set[str] = set()
    done: list[str] = []

    async def reconcile(key: str) -> float | None:
        assert key not in running
        running.add(key)
        await asyncio.sleep(0.001)
        running.discard(key)
        if failures[key]:
            raise failures[key].pop()
        done.append(key)
        if len(done) == 4:
            queue.shut_down()
        return None

    for key in failures:
        queue.add(key)
        queue.add(key)
    async with asyncio.timeout(5):
        await run_workers(queue, reconcile, workers=3)
    assert sorted(done) == ["away", "broken", "conflict", "fine"]


async def test_a_key_comes_again_when_reconcile_asks_for_it() -> None:
    queue = WorkQueue()
    times = []

    async def reconcile(key: str) -> float | None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 2:
            queue.shut_down()
            return None
        return 0.02

    queue.add("a")
    async with asyncio.timeout(5):
        await run_workers(queue, reconcile)
    assert times[1] - times[0] >= 0.015
