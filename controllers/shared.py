"""What the controllers of one process have in common: the client, the informers, the clock, the flags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from api.metadata import now
from client.events import EventRecorder
from client.rest import Client
from controllers.informers import Informers
from controllers.monitors import Monitors
from controllers.options import Options


@dataclass
class Shared:
    client: Client
    options: Options
    informers: Informers
    monitors: Monitors
    clock: Callable[[], datetime] = now
    _recorders: dict[str, EventRecorder] = field(default_factory=dict)

    def recorder(self, component: str) -> EventRecorder:
        """The recorder whose Events name `component` as their source."""
        if component not in self._recorders:
            self._recorders[component] = EventRecorder(self.client, component)
        return self._recorders[component]

    async def close(self) -> None:
        for recorder in self._recorders.values():
            await recorder.close()
