"""One question to one container, for probes and lifecycle hooks alike."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp

from api.types import core_v1
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError, Hung

MAX_BODY = 10 * 1024
_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    ok: bool
    said: str = ""
    status: int = 0
    """Of an HTTP answer, whatever it says."""


class BadPort(ValueError):
    """The handler names a port that the container doesn't have."""


@dataclass(frozen=True)
class Target:
    """Whom to ask."""

    container: core_v1.Container
    container_id: str
    ip: str


class Asker:
    """Asks over one HTTP session for all pods: connections are not kept, each question stands for itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        handler: core_v1.Probe | core_v1.LifecycleHandler,
        target: Target,
        timeout: float,
    ) -> Answer:
        """The container's answer. Never raises for what a container can cause."""
        try:
            if handler.exec is not None:
                return await self.execute(handler.exec, target, timeout)
            if handler.httpGet is not None:
                return await self.http(handler.httpGet, target, timeout)
            if handler.tcpSocket is not None:
                return await self._tcp(handler.tcpSocket, target, timeout)
        except BadPort as error:
            return Answer(False, str(error))
        sleep = getattr(handler, "sleep", None)
        if sleep is not None:
            await asyncio.sleep(sleep.seconds)
        return Answer(True)

    async def execute(self, action: core_v1.ExecAction, target: Target, timeout: float | None) -> Answer:
        try:
            code, output = await self._engine.execute(target.container_id, action.command or [], timeout or 3600.0)
        except Hung:
            command = " ".join(action.command or [])
            return Answer(False, f'command timed out: "{command}" timed out after {timeout:g}s')
        except EngineError as error:
            return Answer(False, str(error))
        return Answer(code == 0, output[:MAX_BODY].decode(errors="replace"))

    async def http(self, action: core_v1.HTTPGetAction, target: Target, timeout: float | None) -> Answer:
        port = resolve_port(action.port, target.container)
        scheme, path = (action.scheme or "HTTP").lower(), action.path or "/"
        host = action.host or target.ip
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{path if path.startswith('/') else '/' + path}"
        headers = {"User-Agent": "kube-probe/1.36", "Accept": "*/*"}
        headers |= {each.name: each.value for each in action.httpHeaders or ()}
        try:
            async with self._client().get(
                url,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout),
                allow_redirects=True,
                max_redirects=_REDIRECTS,
            ) as response:
                body = (await response.content.read(MAX_BODY)).decode(errors="replace")
        except TimeoutError:
            return Answer(
                False, f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
            )
        except (aiohttp.ClientError, ValueError, OSError) as error:
            return Answer(False, f'Get "{url}": {_reason(error)}')
        if 200 <= response.status < 400:
            return Answer(True, body)
        return Answer(False, f"HTTP probe failed with statuscode: {response.status}")

    async def _tcp(self, action: core_v1.TCPSocketAction, target: Target, timeout: float) -> Answer:
        port = resolve_port(action.port, target.container)
        host = action.host or target.ip
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout)
        except TimeoutError:
            return Answer(False, f"dial tcp {host}:{port}: i/o timeout")
        except OSError as error:
            return Answer(False, f"dial tcp {host}:{port}: {_reason(error)}")
        writer.close()
        return Answer(True)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A probe asks whether the server answers, not who it is: no certificate is verified.
            connector = aiohttp.TCPConnector(ssl=False, force_close=True, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
        return self._session


def resolve_port(port: int | str, container: core_v1.Container) -> int:
    """A port's number, by itself or by the name that the container gives it. Raises BadPort."""
    if isinstance(port, int):
        return port
    for each in container.ports or ():
        if each.name == port:
            return each.containerPort
    if port.isdigit():
        return int(port)
    raise BadPort(f"couldn't find port: {port}")


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return (
            "connect: connection refused"
            if "refused" in str(error).lower() or "Connect call" in str(error)
            else str(error)
        )
    return str(error) or type(error).__name__
