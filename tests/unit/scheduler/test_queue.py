"""Who is next, who has to wait, and what makes them come back."""

from __future__ import annotations

import asyncio

import pytest

from scheduler.framework import Happening
from scheduler.plugins.priority_sort import PrioritySort
from scheduler.queue import REJECTED_FOR, SchedulingQueue, Waiting
from tests.unit.scheduler import build


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> SchedulingQueue:
    return SchedulingQueue(PrioritySort().key, clock)


def names(queue: SchedulingQueue) -> list[str]:
    found = []
    while (waiting := queue.pop()) is not None:
        found.append(waiting.info.name)
    return found


def popped(queue: SchedulingQueue) -> Waiting:
    waiting = queue.pop()
    assert waiting is not None
    return waiting


def test_higher_priority_first_then_first_come(queue: SchedulingQueue, clock: Clock) -> None:
    for name, priority in (("late", "0"), ("later", "0"), ("urgent", "10")):
        queue.add(build.pod(name, priority=priority))
        clock.now += 1
    assert queue.sizes() == {"active": 3, "backoff": 0, "unschedulable": 0}
    assert names(queue) == ["urgent", "late", "later"]
    assert queue.sizes() == {"active": 0, "backoff": 0, "unschedulable": 0}


def test_a_pod_is_in_it_once(queue: SchedulingQueue) -> None:
    queue.add(build.pod("a"))
    queue.add(build.pod("a"))
    assert names(queue) == ["a"]


def test_a_removed_pod_is_not_given_out(queue: SchedulingQueue) -> None:
    queue.add(build.pod("a"))
    queue.remove("pod-a")
    assert queue.pop() is None
    assert "pod-a" not in queue


def test_a_rejected_pod_waits_for_what_may_help(queue: SchedulingQueue, clock: Clock) -> None:
    queue.add(build.pod("a"))
    queue.reject(popped(queue), Happening.POD_GONE)
    clock.now += 60
    assert queue.pop() is None
    queue.happened(Happening.NODE_CHANGED)
    assert queue.pop() is None
    queue.happened(Happening.POD_GONE)
    assert names(queue) == ["a"]


def test_backoff_grows_and_holds_even_when_something_helps(queue: SchedulingQueue, clock: Clock) -> None:
    queue.add(build.pod("a"))
    for wait in (1, 2, 4, 8, 10, 10):
        queue.reject(popped(queue), Happening.ANY)
        queue.happened(Happening.NODE_ADDED)
        assert queue.sizes()["backoff"] == 1
        assert queue.next_due() == pytest.approx(wait)
        clock.now += wait - 0.01
        assert queue.pop() is None
        clock.now += 0.02


def test_a_rejected_pod_comes_back_after_a_while_anyway(queue: SchedulingQueue, clock: Clock) -> None:
    queue.add(build.pod("a"))
    queue.reject(popped(queue), Happening.NONE)
    assert queue.next_due() == pytest.approx(REJECTED_FOR)
    clock.now += REJECTED_FOR
    assert names(queue) == ["a"]


def test_a_failed_try_is_repeated_after_its_backoff(queue: SchedulingQueue, clock: Clock) -> None:
    queue.add(build.pod("a"))
    queue.retry(popped(queue))
    assert queue.pop() is None
    clock.now += 1.01
    assert names(queue) == ["a"]


def test_a_changed_pod_is_looked_at_again_if_that_may_help(queue: SchedulingQueue, clock: Clock) -> None:
    for name, helped in (("yes", Happening.POD_CHANGED), ("no", Happening.POD_GONE)):
        queue.add(build.pod(name))
        queue.reject(popped(queue), helped)
    clock.now += 5
    queue.add(build.pod("yes"))
    queue.add(build.pod("no"))
    assert names(queue) == ["yes"]


def test_what_came_back_meanwhile_is_not_put_in_twice(queue: SchedulingQueue) -> None:
    queue.add(build.pod("a"))
    waiting = popped(queue)
    queue.add(build.pod("a"))  # deleted and created anew while we decided
    queue.reject(waiting, Happening.ANY)
    assert queue.sizes() == {"active": 1, "backoff": 0, "unschedulable": 0}


async def test_waiting_ends_when_a_pod_comes(queue: SchedulingQueue) -> None:
    assert queue.pop() is None
    task = asyncio.create_task(queue.wait())
    await asyncio.sleep(0)
    assert not task.done()
    queue.add(build.pod("a"))
    await asyncio.wait_for(task, 30)
    assert names(queue) == ["a"]


async def test_waiting_ends_when_a_backoff_ends() -> None:
    loop = asyncio.get_running_loop()
    queue = SchedulingQueue(PrioritySort().key, loop.time)
    queue.add(build.pod("a"))
    waiting = popped(queue)
    waiting.attempts, waiting.tried_at = 0, loop.time() - 0.98
    queue.retry(waiting)
    waiting.tried_at = loop.time() - 0.98
    queue.happened(Happening.ANY)
    assert queue.pop() is None
    await asyncio.wait_for(queue.wait(), 30)
