"""How far a pull has come, from what Docker says of each layer; and how to say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ARRIVED = ("Verifying Checksum", "Download complete", "Extracting", "Pull complete")


@dataclass
class _Layer:
    current: int = 0
    total: int = 0


@dataclass
class Progress:
    """Fed with Docker's lines. `at` is when the pull last moved, by the clock of who feeds it."""

    at: float
    _layers: dict[str, _Layer] = field(default_factory=dict)
    _last: dict[str, tuple[str, int]] = field(default_factory=dict)

    def take(self, line: Mapping[str, Any], now: float) -> None:
        name, status = str(line.get("id", "")), str(line.get("status", ""))
        detail = line.get("progressDetail") or {}
        current, total = int(detail.get("current") or 0), int(detail.get("total") or 0)
        told = (status, current)
        # A count-down to the registry's next try is no progress.
        if self._last.get(name) != told and not status.startswith("Retrying"):
            self._last[name] = told
            self.at = now
        if status == "Downloading" and total > 0:
            self._layers[name] = _Layer(current, total)
        elif status in _ARRIVED and name in self._layers:
            self._layers[name].current = self._layers[name].total

    @property
    def text(self) -> str:
        """`45% (12.3 of 27.4 MB)`, of the layers whose download has begun; empty before the first."""
        total = sum(each.total for each in self._layers.values())
        if not total:
            return ""
        current = sum(each.current for each in self._layers.values())
        return f"{100 * current // total}% ({current / 1e6:.1f} of {total / 1e6:.1f} MB)"


def duration(seconds: float) -> str:
    """To the millisecond, as Go prints it: `313ms`, `1.594s`, `1m2.5s`."""
    millis = int(seconds * 1000)
    if millis < 1000:
        return f"{millis}ms" if millis else "0s"
    minutes, rest = divmod(millis, 60_000)
    spoken = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{spoken}s"
