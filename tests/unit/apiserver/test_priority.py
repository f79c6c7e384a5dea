"""Seats and queues: a flood waits behind itself."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import TooManyRequests
from apiserver import priority
from apiserver.auth.user import User
from apiserver.priority import Priority, Seats


async def _settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_list_has_as_many_seats_as_it_has_work() -> None:
    room = Seats(400)
    assert [room.width(count) for count in (0, 99, 100, 5_000, 1_000_000)] == [1, 1, 2, 51, 100]


async def test_the_queues_of_clients_take_turns() -> None:
    room, order = Seats(1), []

    async def request(client: str, number: int) -> None:
        await room.take(client, 1)
        order.append(f"{client}{number}")
        room.give_back(1)

    await room.take("first", 1)
    tasks = [asyncio.create_task(request("flood", number)) for number in range(5)]
    await _settle()
    tasks.append(asyncio.create_task(request("other", 0)))
    await _settle()
    room.give_back(1)
    await asyncio.gather(*tasks)
    assert order.index("other0") == 1
    assert room.taken == 0


async def test_a_full_queue_is_a_429_for_its_client_only() -> None:
    room = Seats(1)
    await room.take("first", 1)
    waiting = [asyncio.create_task(room.take("flood", 1)) for _ in range(priority.QUEUE)]
    await _settle()
    with pytest.raises(TooManyRequests) as refused:
        await room.take("flood", 1)
    assert refused.value.retry_after == 1
    other = asyncio.create_task(room.take("other", 1))
    await _settle()
    assert not other.done()
    for task in [*waiting, other]:
        task.cancel()
    await asyncio.gather(*waiting, other, return_exceptions=True)
    room.give_back(1)
    assert room.free(1)


async def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority, "PATIENCE", 0.01)
    room = Seats(2)
    await room.take("a", 2)
    with pytest.raises(TooManyRequests):
        await room.take("b", 1)
    room.give_back(2)
    assert room.free(2)


async def test_who_stands_behind_a_wide_one_that_gave_up_gets_in() -> None:
    room = Seats(4)
    await room.take("a", 3)
    wide, narrow = asyncio.create_task(room.take("b", 4)), asyncio.create_task(room.take("c", 1))
    await _settle()
    assert not narrow.done()
    wide.cancel()
    await _settle()
    assert narrow.done()
    assert room.taken == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.booleans()), max_size=30))
def test_no_seat_is_lost_whatever_happens(requests: list[tuple[str, int, bool]]) -> None:
    async def run() -> None:
        room, most = Seats(5), 0

        async def request(client: str, width: int) -> None:
            nonlocal most
            await room.take(client, width)
            with priority.seated(room, width):
                most = max(most, room.taken)
                await asyncio.sleep(0)

        tasks = []
        for client, width, leaves in requests:
            task = asyncio.create_task(request(client, width))
            tasks.append(task)
            await asyncio.sleep(0)
            if leaves:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert most <= 5
        assert (room.taken, room.waiting) == (0, 0)
        assert room.free(5)

    asyncio.run(run())


def test_daemons_have_rooms_of_their_own() -> None:
    rooms = Priority(400, 200)
    node = User("system:node:n1", ("system:nodes",))
    assert rooms.room(node, reads=False) is rooms.rooms["system", "mutating"]
    assert rooms.room(User("alice"), reads=True) is rooms.rooms["workload", "readOnly"]
