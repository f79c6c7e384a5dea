"""What probes and hooks ask, against real servers on loopback, and when an answer counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import msgspec
import pytest
from aiohttp import web

from api.types import core_v1
from kubelet.lifecycle.view import Health
from kubelet.probes import grpc as health
from kubelet.probes.answer import Answer
from kubelet.probes.handler import Asker, Target, ended
from kubelet.probes.hooks import run_hook
from kubelet.probes.prober import Prober
from kubelet.runtime.container import Container

TARGET = Target(core_v1.Container("main", ports=[core_v1.ContainerPort(80, name="web")]), "c1", "127.0.0.1")


def probe(**fields: Any) -> core_v1.Probe:
    return msgspec.convert(fields, core_v1.Probe)


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    made = Asker(None)  # type: ignore[arg-type]
    yield made
    await made.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def answer(request: web.Request) -> web.Response:
        path = request.path.strip("/")
        if path == "moved":
            raise web.HTTPFound("/200")
        if path == "away":
            raise web.HTTPFound("http://example.com/")
        if path == "round":
            raise web.HTTPFound("/round")
        if path == "slow":
            await asyncio.sleep(5)
        if path == "headers":
            return web.json_response(dict(request.headers))
        return web.Response(status=int(path), text=f"this is {path}")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "ok", "warning", "said"),
    [
        ("200", True, False, "this is 200"),
        ("399", True, True, "Probe terminated redirects, Response body: this is 399"),
        ("404", False, False, "HTTP probe failed with statuscode: 404"),
        ("moved", True, False, "this is 200"),
        ("away", True, True, "Probe terminated redirects, Response body: 302: Found"),
        ("round", True, True, "Probe terminated redirects, Response body: 302: Found"),
        ("slow", False, False, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
    ],
)
async def test_http(asker: Asker, port: int, path: str, ok: bool, warning: bool, said: str) -> None:
    answer = await asker.ask(probe(httpGet={"path": f"/{path}", "port": port}), TARGET, 0.5)
    assert (answer.ok, answer.warning) == (ok, warning)
    assert said in answer.said


async def test_http_headers(asker: Asker, port: int) -> None:
    given = [{"name": "Accept", "value": ""}, {"name": "Host", "value": "shop"}, {"name": "X-A", "value": "1"}]
    asked = probe(httpGet={"path": "headers", "port": port, "httpHeaders": given})
    seen = msgspec.json.decode((await asker.ask(asked, TARGET, 1)).said)
    assert (seen["Host"], seen["X-A"], seen["User-Agent"]) == ("shop", "1", "kube-probe/1.36")
    assert "Accept" not in seen
    assert "Accept-Encoding" not in seen


async def test_what_nobody_listens_on(asker: Asker, unused_tcp_port: int) -> None:
    refused = f"dial tcp 127.0.0.1:{unused_tcp_port}: connect: connection refused"
    answer = await asker.ask(probe(tcpSocket={"port": unused_tcp_port}), TARGET, 1)
    assert answer == Answer(False, refused)
    answer = await asker.ask(probe(httpGet={"path": "/", "port": unused_tcp_port}), TARGET, 1)
    assert answer == Answer(False, f'Get "http://127.0.0.1:{unused_tcp_port}/": {refused}')
    answer = await asker.ask(probe(grpc={"port": unused_tcp_port}), TARGET, 1)
    assert answer.ok is False
    assert f'timeout: failed to connect service "127.0.0.1:{unused_tcp_port}" within 1s' in answer.said
    assert (await asker.ask(probe(tcpSocket={"port": "nosuch"}), TARGET, 1)).ok is None


async def test_tcp(asker: Asker, port: int) -> None:
    assert await asker.ask(probe(tcpSocket={"port": port}), TARGET, 1) == Answer(True)


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A health service that knows two services, and one that never answers."""

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        if details.method != "/grpc.health.v1.Health/Check":
            return None
        return grpc.unary_unary_rpc_method_handler(self._check)

    async def _check(self, request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        name = request[2:].decode()
        if name == "slow":
            await asyncio.sleep(5)
        if name == "nosuch":
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return b"\x08\x02" if name == "down" else b"\x08\x01"


@pytest.mark.parametrize(
    ("service", "ok", "said"),
    [
        ("", True, "service healthy"),
        ("a" * 200, True, "service healthy"),
        ("down", False, 'service unhealthy (responded with "NOT_SERVING")'),
        ("nosuch", False, "error: health rpc probe failed: rpc error: code = NOT_FOUND desc = unknown service"),
        ("slow", False, "timeout: health rpc did not complete within 0.3s"),
    ],
)
async def test_grpc(asker: Asker, service: str, ok: bool, said: str) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Service(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        answer = await asker.ask(probe(grpc={"port": port, "service": service}), TARGET, 0.3)
    finally:
        await server.stop(0)
    assert answer == Answer(ok, said)


async def test_a_server_without_the_health_service() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    answer = await health.check("127.0.0.1", port, "", 1.0)
    await server.stop(0)
    assert answer.said.startswith("error: this server does not implement the grpc health protocol")


async def test_hooks(asker: Asker, port: int, unused_tcp_port: int) -> None:
    def hook(**fields: Any) -> core_v1.LifecycleHandler:
        return msgspec.convert(fields, core_v1.LifecycleHandler)

    assert await run_hook(asker, hook(httpGet={"path": "/500", "port": port}), TARGET, 1) == ""
    assert "refused" in await run_hook(asker, hook(httpGet={"path": "/", "port": unused_tcp_port}), TARGET, 1)
    assert "invalid handler" in await run_hook(asker, hook(tcpSocket={"port": port}), TARGET, 1)
    began = time.monotonic()
    assert await run_hook(asker, hook(sleep={"seconds": 5}), TARGET, 0.05) == "the hook did not end in time"
    assert time.monotonic() - began < 1


class Scripted(Asker):
    """Answers from a list, each kind of probe its own; the last answer goes on."""

    def __init__(self, **answers: list[bool | None]) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.answers = answers
        self.began -= 3600

    async def ask(self, probe: core_v1.Probe, target: Target, timeout: float) -> Answer:
        assert probe.exec is not None
        left = self.answers[(probe.exec.command or [""])[0]]
        return Answer(left.pop(0) if len(left) > 1 else left[0], "so it is")


def kind(name: str, **fields: Any) -> core_v1.Probe:
    made = probe(exec={"command": [name]}, **fields)
    made.periodSeconds = 0.02  # type: ignore[assignment]
    return made


async def probed(spec: core_v1.Container, asker: Scripted, seconds: float = 0.3) -> tuple[Health, list[str], Prober]:
    said: list[str] = []
    prober = Prober(asker, lambda: None, lambda container, kind, reason, message: said.append(message))
    container = Container("c1", {}, started_at=time.time())
    prober.follow([(spec, container)], "127.0.0.1", lambda each: (False, False))
    await asyncio.sleep(seconds)
    held = prober.health["c1"]
    prober.close()
    return held, said, prober


async def test_the_startup_probe_comes_first() -> None:
    spec = core_v1.Container("main", startupProbe=kind("startup", failureThreshold=9), readinessProbe=kind("ready"))
    held, said, prober = await probed(spec, Scripted(startup=[False, False, True], ready=[True]))
    assert (held.started, held.ready, held.alive) == (True, True, True)
    assert said == ["Startup probe failed: so it is"] * 2
    assert prober.counts["main", "Startup", "failed"] == 2
    assert prober.counts["main", "Startup", "successful"] == 1
    held, _, prober = await probed(spec, Scripted(startup=[False], ready=[True]), 0.1)
    assert (held.started, held.ready) == (False, False)
    assert not prober.counts["main", "Readiness", "successful"]


async def test_a_condemned_container_is_asked_no_more() -> None:
    spec = core_v1.Container("main", livenessProbe=kind("live", failureThreshold=2, terminationGracePeriodSeconds=7))
    held, said, _ = await probed(spec, Scripted(live=[True, False, True, False, False]))
    assert (held.alive, held.why, held.grace) == (False, "failed liveness probe", 7)
    assert len(said) == 3


async def test_what_cannot_be_asked_counts_neither_way() -> None:
    spec = core_v1.Container("main", livenessProbe=kind("live", failureThreshold=1))
    held, said, prober = await probed(spec, Scripted(live=[None]), 0.1)
    assert held.alive
    assert said[0] == "Liveness probe errored and resulted in unknown state: so it is"
    assert prober.counts["main", "Liveness", "unknown"] >= 2


@pytest.mark.parametrize(
    ("code", "said", "ok"),
    [
        (0, "fine", True),
        (1, "not yet", False),
        (126, "my own script says so", False),
        (126, "OCI runtime exec failed: exec failed: unable to start container process: read init-p: reset", None),
        (127, 'OCI runtime exec failed: exec: "no-such": executable file not found in $PATH: unknown', None),
    ],
)
def test_a_command_that_could_not_be_started_says_nothing_of_the_container(code: int, said: str, ok: bool) -> None:
    assert ended(code, said) == Answer(ok, said)
