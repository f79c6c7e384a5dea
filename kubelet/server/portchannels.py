"""Port-forward as older WebSocket clients speak it: two channels of one socket for each port, data and error.

There is one connection to each port, made at once. Each channel begins with a message that holds its port's number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from client.streams import channels
from daemon.aio import web
from daemon.log import logger
from kubelet.network import dial
from kubelet.server.carriers import LINGER, MAX_MESSAGE
from kubelet.server.find import Refused
from kubelet.server.idle import Idle, first_of
from kubelet.server.messages import unpacked
from kubelet.server.place import READ, Place

log = logger(__name__)

PROTOCOLS = ("v4.channel.k8s.io", "v4.base64.channel.k8s.io")
MAX_PORTS = 64


def ports_of(request: web.Request) -> list[int]:
    """Raises Refused."""
    named = [text for value in request.query.getall("port", []) for text in value.split(",")]
    if not named:
        raise Refused(400, 'query parameter "port" is required')
    for text in named:
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise Refused(400, f"invalid port {text}")
    if len(named) > MAX_PORTS:
        raise Refused(400, f"at most {MAX_PORTS} ports")
    return [int(text) for text in named]


async def serve(request: web.Request, place: Place, idle: Idle) -> web.StreamResponse:
    """Serve the client until it goes, or the pod has ended every connection. Raises Refused."""
    ports = ports_of(request)
    socket = web.WebSocketResponse(protocols=PROTOCOLS, compress=False, max_msg_size=MAX_MESSAGE, timeout=LINGER)
    await socket.prepare(request)
    await Channels(socket, place, ports, idle).run()
    return socket


class Channels:
    def __init__(self, socket: web.WebSocketResponse, place: Place, ports: Sequence[int], idle: Idle) -> None:
        self._socket, self._place, self._ports, self._idle = socket, place, ports, idle
        self._protocol = channels.Protocol(socket.ws_protocol or "")
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._connected = [asyncio.Event() for _ in ports]

    async def run(self) -> None:
        up = asyncio.create_task(self._up(), name="port-forward: up")
        down = asyncio.create_task(self._all_down(), name="port-forward: down")
        try:
            await first_of(up, down, idle=self._idle)
        finally:
            for writer in self._writers.values():
                writer.close()
            await self._socket.close()

    async def _all_down(self) -> None:
        await asyncio.gather(*(self._down(index) for index in range(len(self._ports))))

    async def _send(self, channel: int, data: bytes) -> None:
        self._idle.touch()
        message = self._protocol.pack(channel, data)
        await (self._socket.send_str(message) if isinstance(message, str) else self._socket.send_bytes(message))

    async def _down(self, index: int) -> None:
        port = self._ports[index]
        try:
            for channel in (2 * index, 2 * index + 1):
                await self._send(channel, port.to_bytes(2, "little"))
            reader, self._writers[index] = await dial.localhost(self._place.namespace, port)
            self._connected[index].set()
            while piece := await reader.read(READ):
                await self._send(2 * index, piece)
        except OSError as error:
            with suppress(ConnectionError):
                await self._send(2 * index + 1, self._place.failure(port, error).encode())
        finally:
            self._connected[index].set()

    async def _up(self) -> None:
        """Returns when the client has gone."""
        async for channel, data in unpacked(self._socket, self._protocol):
            self._idle.touch()
            index, is_error = divmod(channel, 2)
            if not is_error and index < len(self._ports):
                await self._write(index, data)

    async def _write(self, index: int, data: bytes) -> None:
        await self._connected[index].wait()
        writer = self._writers.get(index)
        if writer is None or writer.is_closing():
            return
        try:
            writer.write(data)
            await writer.drain()
        except OSError as error:
            log.debug("a pod reads no more from a connection", why=str(error))
