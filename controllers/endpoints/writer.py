"""Keeps the slices of one kind of book right: reads those there are, writes what a plan asks for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from api import errors
from client.informer import Informer
from client.rest import Client
from controllers import objects
from controllers.endpoints.plan import Changes, EndpointSlice
from controllers.informers import SERVICE
from controllers.latest import Latest


class SliceWriter:
    """`mine` tells the slices of this manager from those of others, which are none of its business."""

    def __init__(
        self, client: Client, informer: Informer[EndpointSlice], mine: Callable[[EndpointSlice], bool]
    ) -> None:
        self._client, self._informer, self._mine = client, informer, mine
        self._latest: Latest[EndpointSlice] = Latest()
        informer.on_change(self._changed)

    def _changed(self, key: str, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        if old is not None and new is None:
            self._latest.forget(old)

    def existing(self, service: str) -> list[EndpointSlice]:
        """The slices of the Service with this key, own writes that the informer has not shown yet included."""
        cached = [item for item in self._informer.by_index(SERVICE, service) if self._mine(item)]
        return self._latest.all(service, cached, self._informer.resource_version)

    async def write(self, service: str, changes: Changes) -> None:
        """Raises the first failure, after all were tried."""
        writes = [self._create(service, item) for item in changes.create]
        writes += [self._update(service, item) for item in changes.update]
        writes += [self._delete(item) for item in changes.delete]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        failure = next((outcome for outcome in outcomes if isinstance(outcome, BaseException)), None)
        if failure is not None:
            raise failure

    async def clear(self, service: str) -> None:
        await self.write(service, Changes(delete=self.existing(service)))

    async def _create(self, service: str, item: EndpointSlice) -> None:
        self._latest.wrote(await self._client.create(item), service)

    async def _update(self, service: str, item: EndpointSlice) -> None:
        self._latest.wrote(await self._client.update(item), service)

    async def _delete(self, item: EndpointSlice) -> None:
        with contextlib.suppress(errors.NotFound):
            await self._client.delete(EndpointSlice, objects.name(item), objects.namespace(item), uid=objects.uid(item))
        self._latest.removed(item)
