"""gRPC's health service (grpc.health.v1), asked with two messages small enough to be written by hand."""

from __future__ import annotations

import asyncio

from daemon.grpc.calls import CallError
from daemon.grpc.http2 import Connection
from kubelet.probes.answer import Answer

_CHECK = "/grpc.health.v1.Health/Check"
_STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_SERVING = 1


async def check(host: str, port: int, service: str, timeout: float) -> Answer:
    """Ask over a connection of its own, without TLS."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(timeout):
            _, connection = await loop.create_connection(lambda: Connection(address, "http"), host, port)
    except (OSError, TimeoutError) as error:
        why = str(error) or "context deadline exceeded"
        return Answer(False, f'timeout: failed to connect service "{address}" within {timeout:g}s: {why}')
    try:
        async with asyncio.timeout(timeout - (loop.time() - began)):
            answer = await connection.unary(_CHECK, _request(service), timeout + 1.0)
    except TimeoutError:
        return Answer(False, f"timeout: health rpc did not complete within {timeout:g}s")
    except CallError as error:
        if error.code == "UNIMPLEMENTED":
            said = f"this server does not implement the grpc health protocol (grpc.health.v1.Health): {error.text}"
            return Answer(False, f"error: {said}")
        return Answer(False, f"error: health rpc probe failed: rpc error: code = {error.code} desc = {error.text}")
    finally:
        connection.close()
    state = _state(answer)
    if state == _SERVING:
        return Answer(True, "service healthy")
    shown = _STATES[state] if state < len(_STATES) else str(state)
    return Answer(False, f'service unhealthy (responded with "{shown}")')


def _request(service: str) -> bytes:
    """HealthCheckRequest: field 1 is the service's name."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _state(message: bytes) -> int:
    """HealthCheckResponse: field 1 is the state, one byte; left out when it is 0."""
    return message[1] if len(message) >= 2 and message[0] == 0x08 else 0
