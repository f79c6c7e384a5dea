"""The wire to etcd: calls of bytes to one of several endpoints, over gRPC.

Kept apart and small so that a leaner transport can take its place. An endpoint that cannot be reached is left for the
next one; what was certainly not sent is tried there at once, what may have been sent is the caller's to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import grpc
import grpc.aio

CALL_TIMEOUT = 10.0
_MESSAGE_LIMIT = 512 * 1024 * 1024
_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_LIMIT),  # 4 MiB by default: less than a list of 5,000 pods
    ("grpc.max_send_message_length", _MESSAGE_LIMIT),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


class CallError(Exception):
    """A call that failed: gRPC's status code by name, and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Unreachable(CallError):
    """No endpoint answered. `sent` tells whether the call may have been carried out all the same."""

    def __init__(self, text: str, sent: bool) -> None:
        super().__init__("UNAVAILABLE", text)
        self.sent = sent


@dataclass(frozen=True)
class Certificates:
    """The files for TLS to etcd. Without a CA file the system's roots are trusted."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class Stream(Protocol):
    """An open call with messages both ways."""

    async def send(self, message: bytes) -> None: ...
    async def receive(self) -> bytes | None:
        """The next message, or None at the end. Raises CallError."""
        ...


class Channel:
    """Calls to whichever endpoint works. `endpoints` are URLs: `https://10.0.0.1:2379`."""

    def __init__(self, endpoints: Sequence[str], certificates: Certificates) -> None:
        self._channels = [_open(url, certificates) for url in endpoints]
        self._methods: dict[tuple[int, str], Any] = {}
        self._current = 0

    async def call(self, method: str, message: bytes, timeout: float = CALL_TIMEOUT) -> bytes:
        """Raises Unreachable, CallError."""
        for attempt in range(len(self._channels)):
            used = self._current
            try:
                answer: bytes = await self._method(used, method)(message, timeout=timeout)
                return answer
            except grpc.aio.AioRpcError as error:
                failure = _failure(error)
                if not isinstance(failure, Unreachable):
                    raise failure from error
                self._leave(used)
                if failure.sent or attempt == len(self._channels) - 1:
                    raise failure from error
        raise Unreachable("there is no endpoint", sent=False)

    @asynccontextmanager
    async def stream(self, method: str) -> AsyncIterator[Stream]:
        """Open a call with messages both ways; it is cancelled when the context ends."""
        used = self._current
        call = self._channels[used].stream_stream(method)()
        try:
            yield _Stream(call)
        except Unreachable:
            self._leave(used)
            raise
        finally:
            call.cancel()

    async def close(self) -> None:
        await asyncio.gather(*(channel.close() for channel in self._channels))

    def _leave(self, used: int) -> None:
        if self._current == used:
            self._current = (used + 1) % len(self._channels)

    def _method(self, index: int, method: str) -> Any:
        found = self._methods.get((index, method))
        if found is None:
            found = self._methods[index, method] = self._channels[index].unary_unary(method)
        return found


class _Stream:
    def __init__(self, call: Any) -> None:
        self._call = call

    async def send(self, message: bytes) -> None:
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise _failure(error) from error
        except asyncio.InvalidStateError as error:
            raise Unreachable("the stream is closed", sent=False) from error

    async def receive(self) -> bytes | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise _failure(error) from error
        return None if message is grpc.aio.EOF else message


def _open(url: str, certificates: Certificates) -> Any:
    scheme, _, address = url.rpartition("://")
    if scheme == "http":
        return grpc.aio.insecure_channel(address, options=_OPTIONS)
    parts = (certificates.ca, certificates.key, certificates.certificate)
    credentials = grpc.ssl_channel_credentials(*(part.read_bytes() if part else None for part in parts))
    return grpc.aio.secure_channel(address, credentials, options=_OPTIONS)


def _failure(error: Any) -> CallError:
    code, text = error.code().name, error.details() or ""
    if code == "UNAVAILABLE":
        return Unreachable(text, sent="failed to connect" not in text)
    return CallError(code, text)
