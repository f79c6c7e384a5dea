"""What a container answered."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SAID = 10 * 1024
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`ok` is None when the question could not be put at all: that says nothing of the container."""

    ok: bool | None
    said: str = ""
    warning: bool = False
    """It counts as a success, but somebody should look at it."""
    answered: bool = False
    """Somebody answered over HTTP, whatever it was."""


def reason(error: Exception) -> str:
    """Why a connection failed, in the words of Kubernetes' own prober."""
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "connect: connection refused"
    return str(error) or type(error).__name__
