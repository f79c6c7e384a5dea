"""From the lines of Docker's json-file logs to what a client reads: pure."""

from __future__ import annotations

import msgspec

from kubelet.logs.query import LogQuery


class Entry(msgspec.Struct):
    """One line of a json-file log. A line that the container wrote of more than 16 KiB is several entries, of which
    only the last ends with a line break."""

    log: str = ""
    stream: str = "stdout"
    time: str = ""


_decode = msgspec.json.Decoder(Entry).decode


def stamp(time: str) -> str:
    """Docker's time, which leaves off zeros at its end, with all nine decimals."""
    whole, _, decimals = time.rstrip("Z").partition(".")
    return f"{whole}.{decimals:0<9}Z"


class Sieve:
    """Lets through what was asked for; keeps count between blocks."""

    def __init__(self, query: LogQuery) -> None:
        self._stream = "" if query.stream == "All" else query.stream.lower()
        self._since, self._timestamps, self._left = query.since, query.timestamps, query.limit
        self._fresh = True

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self._left is not None and self._left <= 0

    def pass_on(self, block: bytes) -> bytes:
        """What a client is to have of some whole lines of the file. A line that is no entry (the machine may have
        stopped in the middle of one) is left out."""
        out: list[str] = []
        for line in block.split(b"\n"):
            if not line:
                continue
            try:
                entry = _decode(line)
            except msgspec.DecodeError:
                continue
            if not entry.log:
                continue
            if self._stream and entry.stream != self._stream:
                continue
            if self._since and stamp(entry.time) < self._since:
                continue
            if self._timestamps and self._fresh:
                out.append(f"{stamp(entry.time)} ")
            out.append(entry.log)
            self._fresh = entry.log.endswith("\n")
        return self._cut("".join(out).encode(errors="replace"))

    def _cut(self, text: bytes) -> bytes:
        if self._left is None:
            return text
        text = text[: max(self._left, 0)]
        self._left -= len(text)
        return text
