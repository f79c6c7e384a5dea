"""The shell of mirroring: one key a Service."""

from __future__ import annotations

from api import errors
from api.types import core_v1, discovery_v1
from controllers import objects
from controllers.controller import Controller
from controllers.endpoints import mirror
from controllers.endpoints.backends import SERVICE_NAME
from controllers.endpoints.writer import SliceWriter
from controllers.failures import namespace_is_terminating
from controllers.shared import Shared


class MirroringController(Controller):
    name = "endpointslicemirroring"
    component = "endpoint-slice-mirroring-controller"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._services = self.read(core_v1.Service)
        self._endpoints = self.read(core_v1.Endpoints)
        slices = self.read(discovery_v1.EndpointSlice)
        self._writer = SliceWriter(self.client, slices, mirror.is_managed)
        self._services.on_change(lambda key, old, new: self._wake(key))
        self._endpoints.on_change(lambda key, old, new: self._wake(key))
        slices.on_change(self._slice_changed)

    def _wake(self, key: str) -> None:
        """Most Services have pods behind them, and nothing mirrored: those are not worth a look."""
        if mirror.is_mirrored(self._services.get(key), self._endpoints.get(key)) or self._writer.existing(key):
            self.queue.add(key)

    def _slice_changed(
        self, key: str, old: discovery_v1.EndpointSlice | None, new: discovery_v1.EndpointSlice | None
    ) -> None:
        item = new or old
        if item is not None and mirror.is_managed(item) and (service := objects.labels(item).get(SERVICE_NAME)):
            self.queue.add(f"{objects.namespace(item)}/{service}")

    async def reconcile(self, key: str) -> None:
        endpoints = self._endpoints.get(key)
        if endpoints is None or not mirror.is_mirrored(self._services.get(key), endpoints):
            await self._writer.clear(key)
            return
        changes = mirror.decide(endpoints, self._writer.existing(key), self.clock())
        try:
            await self._writer.write(key, changes)
        except errors.StatusError as error:
            if not namespace_is_terminating(error):
                raise
