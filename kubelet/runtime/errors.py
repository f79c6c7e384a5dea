"""What can go wrong between the kubelet and Docker, told apart by what the kubelet does about it."""

from __future__ import annotations


class EngineError(Exception):
    """Docker refused or failed. `status` is its HTTP status, 0 when there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFound(EngineError):
    """The container or image isn't there (any more)."""


class Conflict(EngineError):
    """The name is taken, or the container's state does not allow the call."""


class Unreachable(EngineError):
    """Docker doesn't answer on its socket at all: it is down or restarting."""


class Hung(EngineError):
    """A call took longer than its deadline. It may still take effect."""
