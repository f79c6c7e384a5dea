"""One question to one container: a command, an HTTP request, a connection, or gRPC's health service."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import aiohttp

from api.types import core_v1
from kubelet.probes import command, http
from kubelet.probes.answer import MOST_SAID, Answer, reason
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError


class BadPort(ValueError):
    """The handler names a port that the container doesn't have."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask."""

    container: core_v1.Container
    container_id: str
    ip: str


_NOT_STARTED = (126, 127)
_START_FAILED = "OCI runtime exec failed"


class Asker:
    """Asks over one HTTP session for all pods: connections are not kept, each question stands for itself."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.began = time.monotonic()
        """A kubelet that has just begun must not ask all its old containers at once."""
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, probe: core_v1.Probe, target: Target, timeout: float) -> Answer:
        """The container's answer. Never raises for what a container can cause."""
        if probe.exec is not None:
            return await self.execute(probe.exec, target, timeout)
        if probe.httpGet is not None:
            return await self.http(probe.httpGet, target, timeout)
        if probe.tcpSocket is not None:
            return await _tcp(probe.tcpSocket, target, timeout)
        if probe.grpc is not None:
            from kubelet.probes import grpc  # few pods ask this way

            return await grpc.check(target.ip, probe.grpc.port, probe.grpc.service or "", timeout)
        return Answer(None, "missing probe handler")

    async def execute(self, action: core_v1.ExecAction, target: Target, timeout: float | None) -> Answer:
        argv = action.command or []
        try:
            code, output = await command.run(self.engine, target.container_id, argv, timeout)
        except TimeoutError:
            return Answer(False, f'command timed out: "{" ".join(argv)}" timed out after {timeout:g}s')
        except (EngineError, OSError) as error:
            return Answer(None, str(error))
        return ended(code, output.decode(errors="replace")[:MOST_SAID])

    async def http(
        self, action: core_v1.HTTPGetAction, target: Target, timeout: float | None, agent: str = http.PROBE
    ) -> Answer:
        try:
            port = resolve_port(action.port, target.container)
        except BadPort as error:
            return Answer(None, str(error))
        return await http.get(self._client(), action, action.host or target.ip, port, timeout, agent)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A probe asks whether the server answers, not who it is: no certificate is verified.
            connector = aiohttp.TCPConnector(ssl=False, force_close=True, limit=0)
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False, cookie_jar=jar)
        return self._session


def ended(code: int, said: str) -> Answer:
    """What a command's end says. One that could not be started is no answer: a busy node must not restart a container
    for it."""
    if code in _NOT_STARTED and said.startswith(_START_FAILED):
        return Answer(None, said)
    return Answer(code == 0, said)


async def _tcp(action: core_v1.TCPSocketAction, target: Target, timeout: float) -> Answer:
    try:
        host, port = action.host or target.ip, resolve_port(action.port, target.container)
    except BadPort as error:
        return Answer(None, str(error))
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Answer(False, f"dial tcp {host}:{port}: i/o timeout")
    except OSError as error:
        return Answer(False, f"dial tcp {host}:{port}: {reason(error)}")
    writer.close()
    return Answer(True)


def resolve_port(port: int | str, container: core_v1.Container) -> int:
    """A port's number, by itself or by the name that the container gives it. Raises BadPort."""
    if isinstance(port, int):
        return port
    for each in container.ports or ():
        if each.name == port:
            return each.containerPort
    if port.isdigit():
        return int(port)
    raise BadPort(f'strconv.Atoi: parsing "{port}": invalid syntax')
