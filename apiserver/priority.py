"""How many requests are under way at once, so that one client's flood is its own trouble and nobody else's.

The server is one thread: whoever asks for a hundred large lists at once would have all others wait behind them. So a
request takes seats, a list as many as it has work (a seat is about a hundred objects), and there are only so many:
for reads and writes apart, and for the cluster's own daemons apart from everybody else. Who finds no seat waits in a
queue of their own; the queues take turns. A queue that is full, or a wait that is long, is a 429.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import TooManyRequests
from apiserver.auth.user import MASTERS, User

PER_SEAT = 100
"""Objects in a list that are worth a seat: about 0.6 ms."""
QUEUE = 128
"""Requests of one client that may wait."""
PATIENCE = 15.0
"""Seconds a request waits at most."""
RETRY_AFTER = 1

_DAEMONS = frozenset(
    {"system:apiserver", "system:kube-scheduler", "system:kube-controller-manager", "system:kube-proxy"}
)
_NODES = "system:nodes"
_TEXT = "Too many requests, please try again later."


class Seats:
    """A number of seats, and a queue for each client that waits for some."""

    def __init__(self, seats: int) -> None:
        self.seats = seats
        self.taken = 0
        self.waiting = 0
        self.refused = 0
        self._queues: dict[str, deque[tuple[int, asyncio.Future[None]]]] = {}

    def width(self, objects: int) -> int:
        """The seats of a request that looks at so many objects: never so many that one request empties the room."""
        return min(1 + objects // PER_SEAT, max(1, self.seats // 4))

    def free(self, width: int) -> bool:
        return self.taken + width <= self.seats and not self._queues

    async def take(self, client: str, width: int) -> None:
        """Wait for seats. Raises TooManyRequests."""
        if self.free(width):
            self.taken += width
            return
        queue = self._queues.setdefault(client, deque())
        if len(queue) >= QUEUE:
            raise self._refusal()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append((width, turn))
        self.waiting += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._until(turn, width)
        except TimeoutError:
            raise self._refusal() from None
        finally:
            self.waiting -= 1

    async def _until(self, turn: asyncio.Future[None], width: int) -> None:
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._admit()  # whoever stood behind may fit
            else:
                self.give_back(width)
            raise

    def give_back(self, width: int) -> None:
        """Let the next ones in."""
        self.taken -= width
        if self._queues:
            self._admit()

    def _admit(self) -> None:
        while self._queues:
            client, queue = next(iter(self._queues.items()))
            width, turn = queue[0]
            if not turn.done() and self.taken + width > self.seats:
                return
            queue.popleft()
            # The next client's turn: this one's queue goes to the end.
            del self._queues[client]
            if queue:
                self._queues[client] = queue
            if not turn.done():
                self.taken += width
                turn.set_result(None)

    def _refusal(self) -> TooManyRequests:
        self.refused += 1
        return TooManyRequests(_TEXT, retry_after=RETRY_AFTER)


class Priority:
    """The rooms: reads and writes, of the cluster's daemons and of everybody else."""

    def __init__(self, reads: int, writes: int) -> None:
        self.rooms = {
            (level, kind): Seats(seats)
            for level in ("system", "workload")
            for kind, seats in (("readOnly", reads), ("mutating", writes))
        }
        self._system = (self.rooms["system", "mutating"], self.rooms["system", "readOnly"])
        self._workload = (self.rooms["workload", "mutating"], self.rooms["workload", "readOnly"])

    def room(self, user: User, reads: bool) -> Seats:
        system = user.name in _DAEMONS or _NODES in user.groups
        return (self._system if system else self._workload)[reads]


def exempt(user: User, width: int) -> bool:
    """Whether a request takes no seat: an administrator's, unless it is a large list."""
    return width <= 1 and MASTERS in user.groups


@contextmanager
def seated(room: Seats, width: int) -> Iterator[None]:
    """Give the seats back in the end."""
    try:
        yield
    finally:
        room.give_back(width)
