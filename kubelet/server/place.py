"""Where port-forward leads: a pod's network, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

READ = 64 * 1024
"""Bytes read at once from a connection to a pod."""


@dataclass(frozen=True, slots=True)
class Place:
    namespace: Path
    pod: str
    uid: str

    def failure(self, port: int, error: OSError) -> str:
        """What a client is told when a port can't be reached."""
        return f"error forwarding port {port} to pod {self.pod}, uid {self.uid}: {error}"
