"""gRPC calls: what is under way, what has come, how each ended."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from urllib.parse import unquote

from daemon.grpc.hpack import decode

# gRPC's status codes by number; the rest are not special here.
CODES = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)


class CallError(Exception):
    """A call that failed: gRPC's status code by name, and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Unreachable(CallError):
    """The peer does not answer. `sent` tells whether the call may have been carried out all the same."""

    def __init__(self, text: str, sent: bool) -> None:
        super().__init__("UNAVAILABLE", text)
        self.sent = sent


class Call:
    """One call: what is still to be sent, what has come, how it ended."""

    __slots__ = ("arrived", "closed", "deadline", "error", "finish", "id", "pending", "received", "waiter", "window")

    def __init__(self, number: int, window: int, deadline: float) -> None:
        self.id = number
        self.window = window
        self.deadline = deadline
        self.pending = b""
        self.finish = False
        """Whether the request ends with what is pending."""
        self.arrived = bytearray()
        self.received = 0
        """Bytes received that the peer has not been given room for again."""
        self.closed = False
        self.error: CallError | None = None
        self.waiter: asyncio.Future[None] | None = None

    def message(self) -> bytes | None:
        """Take the next whole message, if it is there (gRPC: a flag, the length, the message)."""
        arrived = self.arrived
        if len(arrived) < 5:
            return None
        end = 5 + int.from_bytes(arrived[1:5], "big")
        if len(arrived) < end:
            return None
        message = bytes(arrived[5:end])
        if len(arrived) == end:
            arrived.clear()
        else:
            del arrived[:end]
        return message

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def wait(self) -> None:
        """Until something has come or the call has ended."""
        self.waiter = asyncio.get_running_loop().create_future()
        try:
            await self.waiter
        finally:
            self.waiter = None


@lru_cache(maxsize=64)
def _trailers(block: bytes) -> tuple[str, str] | None:
    """Status code and text of a final header block; None for OK. Raises HpackError."""
    headers = decode(block)
    status = headers.get("grpc-status")
    if status == "0":
        return None
    if status is None or not status.isdigit():
        return "UNAVAILABLE", f"the answer is no gRPC answer (HTTP status {headers.get(':status', 'unknown')})"
    number = int(status)
    code = CODES[number] if number < len(CODES) else "UNKNOWN"
    return code, unquote(headers.get("grpc-message", ""))


def outcome(block: bytes) -> CallError | None:
    """How a call ended, by its trailers. Raises HpackError."""
    found = _trailers(block)
    if found is None:
        return None
    code, text = found
    return Unreachable(text, sent=True) if code == "UNAVAILABLE" else CallError(code, text)
