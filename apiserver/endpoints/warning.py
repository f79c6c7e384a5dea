"""The Warning headers of an answer: each sentence once, and not more of them than clients take in headers."""

from __future__ import annotations

from collections.abc import Iterable

TOTAL = 4096
"""Characters of all warnings together; where there are more, each is cut."""
CUT = 256


def headers(warnings: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """The headers that tell these sentences."""
    return [(b"warning", f'299 - "{_quoted(text)}"'.encode()) for text in told(warnings)]


def told(warnings: Iterable[str]) -> list[str]:
    """The sentences that are sent."""
    once = list(dict.fromkeys(filter(None, warnings)))
    if sum(map(len, once)) <= TOTAL:
        return once
    sent: list[str] = []
    written = 0
    for text in once:
        if written >= TOTAL:
            break
        sent.append(text[:CUT])
        written += len(sent[-1])
    return sent


def _quoted(text: str) -> str:
    """A sentence as it may stand in a quoted header value."""
    one_line = "".join(char if char.isprintable() else " " for char in text)
    return one_line.replace("\\", "\\\\").replace('"', '\\"')
