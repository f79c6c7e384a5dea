"""A request for another protocol passed on: once the other server agrees, bytes go both ways until one side ends.

Only an agreement (101) joins the two connections. Any other answer is answered as usual, and the connection ends with
it: a client must never come to speak to the other server without having been asked who it is.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from apiserver.connection import TAKE_KEY, Taken
from apiserver.remote.answer import READ_SIZE
from apiserver.remote.line import Line

if TYPE_CHECKING:
    from apiserver.endpoints.http import Request


def wanted(request: Request) -> str:
    """The protocol that the client asks for, or nothing."""
    return request.header(b"upgrade") if TAKE_KEY in request.scope else ""


async def carry(request: Request, line: Line, stopping: asyncio.Event) -> None:
    """The client's connection and `line`, where the other server has agreed, as one: until either ends or this server
    does."""
    client: Taken = request.scope[TAKE_KEY]()
    request.status = line.answer.status
    if request.audit is not None:
        request.audit.started(request.status)
    joined = asyncio.create_task(_join(client, line), name="upgrade")
    stopped = asyncio.create_task(stopping.wait(), name="upgrade: server stopping")
    try:
        await asyncio.wait((joined, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (joined, stopped):
            task.cancel()
        await asyncio.gather(joined, stopped, return_exceptions=True)
        client.close()


async def _join(client: Taken, line: Line) -> None:
    """Carry bytes both ways until one side has nothing more to say."""
    await client.write(line.answer.head)
    ways = [
        asyncio.create_task(_to_client(client, line), name="upgrade: to the client"),
        asyncio.create_task(_to_server(client, line), name="upgrade: to the server"),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _to_client(client: Taken, line: Line) -> None:
    while data := await line.reader.read(READ_SIZE):
        await client.write(data)


async def _to_server(client: Taken, line: Line) -> None:
    while data := await client.reader.read(READ_SIZE):
        await line.send(data)
