"""The streams of an exec or attach: their numbers and names, how a WebSocket message carries them, and the Status that
ends them.

A message's first byte is the channel's number. The base64 variants are text, and the number a digit. From version 5 a
message on channel 255 ends the channel whose number it holds: a WebSocket itself cannot be closed in one direction.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Channel(IntEnum):
    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4
    CLOSE = 255


STREAM_TYPES = {
    "stdin": Channel.STDIN,
    "stdout": Channel.STDOUT,
    "stderr": Channel.STDERR,
    "error": Channel.ERROR,
    "resize": Channel.RESIZE,
}
"""What a stream of SPDY calls itself in its header `streamType`."""
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
WEBSOCKET_PROTOCOLS = (V5, V4, "v4.base64.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io")
SPDY_PROTOCOLS = (V4, "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
FORWARD = "portforward.k8s.io"
TUNNEL = f"SPDY/3.1+{FORWARD}"
"""The WebSocket subprotocol of port-forward: SPDY in binary messages."""
PROTOCOL_HEADER = "X-Stream-Protocol-Version"


class BadMessage(ValueError):
    """A message that no channel protocol has."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """What was agreed on, by name; an empty name is the oldest."""

    name: str

    @property
    def base64(self) -> bool:
        return "base64" in self.name

    @property
    def closes(self) -> bool:
        """Whether a channel can be closed by itself."""
        return self.name == V5

    @property
    def tells_status(self) -> bool:
        """Whether the error channel ends with a Status, and not with a bare sentence."""
        return self.name.startswith(("v4.", "v5."))

    def pack(self, channel: int, data: bytes) -> bytes | str:
        """A message to send: text where the protocol is one of text."""
        if self.base64:
            return f"{channel}{base64.b64encode(data).decode()}"
        return bytes((channel,)) + data

    def unpack(self, message: bytes | str) -> tuple[int, bytes]:
        """Channel and data of a message. Raises BadMessage."""
        if isinstance(message, str):
            if not self.base64:
                return _split(message.encode())
            try:
                return int(message[:1]), base64.b64decode(message[1:], validate=True)
            except (ValueError, binascii.Error) as error:
                raise BadMessage(str(error)) from error
        return _split(message)


def _split(message: bytes) -> tuple[int, bytes]:
    if not message:
        raise BadMessage("a message without a channel")
    return message[0], message[1:]


def exit_status(code: int) -> dict[str, Any]:
    """The Status of a command that has ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def internal_error(why: str) -> dict[str, Any]:
    """The Status of a command that could not be run, or whose end is not known."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {why}",
        "reason": "InternalError",
        "details": {"causes": [{"message": why}]},
        "code": 500,
    }


def error_message(protocol: Protocol, status: dict[str, Any]) -> bytes:
    """What the error channel ends with."""
    if protocol.tells_status:
        return json.dumps(status, separators=(",", ":")).encode()
    return str(status.get("message", "")).encode()


def exit_code(message: bytes) -> tuple[int, str]:
    """What the error channel's last message says: an exit code, and why where there is no command to have one.

    Nothing at all is a success.
    """
    if not message:
        return 0, ""
    try:
        status: Any = json.loads(message)
    except ValueError:
        status = {"status": "Failure", "message": message.decode(errors="replace")}
    if status.get("status") == "Success":
        return 0, ""
    for cause in (status.get("details") or {}).get("causes") or ():
        if status.get("reason") == "NonZeroExitCode" and cause.get("reason") == "ExitCode":
            return int(cause["message"]), ""
    return 1, str(status.get("message") or "the command's end is not known")


def resize(width: int, height: int) -> bytes:
    """A message of the resize channel."""
    return json.dumps({"Width": width, "Height": height}).encode()


def read_resize(data: bytes) -> tuple[int, int] | None:
    """Width and height; None for what is no size."""
    try:
        size: Any = json.loads(data)
        width, height = int(size["Width"]), int(size["Height"])
    except (ValueError, TypeError, KeyError):
        return None
    return (width, height) if 0 < width < 65536 and 0 < height < 65536 else None
