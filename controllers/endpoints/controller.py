"""The shell of both forms: one key a Service, the slices first since the proxies read them."""

from __future__ import annotations

import contextlib

from api import errors
from api.types import core_v1, discovery_v1
from controllers import objects
from controllers.controller import Controller
from controllers.endpoints import legacy, slices
from controllers.endpoints.backends import SERVICE_NAME, facts, is_selecting
from controllers.endpoints.writer import SliceWriter
from controllers.failures import namespace_is_terminating
from controllers.informers import LABEL, SELECTED, label_values
from controllers.latest import Latest
from controllers.shared import Shared

Service = core_v1.Service
Pod = core_v1.Pod
EndpointSlice = discovery_v1.EndpointSlice
Endpoints = core_v1.Endpoints


class EndpointsController(Controller):
    name = "endpoints"
    component = "endpoint-slice-controller"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._services = self.read(Service)
        self._pods = self.read(Pod)
        self._slices = self.read(EndpointSlice)
        self._endpoints = self.read(Endpoints)
        self._writer = SliceWriter(self.client, self._slices, slices.is_managed)
        self._latest_endpoints: Latest[Endpoints] = Latest()
        self._services.on_change(lambda key, old, new: self.queue.add(key))
        self._pods.on_change(self._pod_changed)
        self._slices.on_change(self._slice_changed)
        self._endpoints.on_change(self._endpoints_changed)

    # -- what wakes it

    def _pod_changed(self, key: str, old: Pod | None, new: Pod | None) -> None:
        relabelled = old is None or new is None or objects.labels(old) != objects.labels(new)
        if not relabelled and old is not None and new is not None and facts(old) == facts(new):
            return
        for pod in (old, new) if relabelled else (new,):
            if pod is not None:
                self._wake_selecting(pod)

    def _wake_selecting(self, pod: Pod) -> None:
        have = objects.labels(pod).items()
        for value in label_values(pod):
            for service in self._services.by_index(SELECTED, value):
                if service.spec and service.spec.selector and service.spec.selector.items() <= have:
                    self.queue.add(f"{objects.namespace(service)}/{objects.name(service)}")

    def _slice_changed(self, key: str, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        """Somebody else's change to a slice of ours is undone; our own finds nothing to do."""
        item = new or old
        service = objects.labels(item).get(SERVICE_NAME) if item is not None else None
        if item is not None and service and slices.is_managed(item):
            self.queue.add(f"{objects.namespace(item)}/{service}")

    def _endpoints_changed(self, key: str, old: Endpoints | None, new: Endpoints | None) -> None:
        if old is not None and new is None:
            self._latest_endpoints.forget(old)
        self.queue.add(key)

    # -- what it does

    async def reconcile(self, key: str) -> None:
        service = self._services.get(key)
        if service is None:
            await self._clean_up(key)
            return
        if objects.deleting(service) or not is_selecting(service):
            return
        candidates = self._selected(service)
        try:
            await self._write_slices(key, service, candidates)
            await self._write_endpoints(key, service, candidates)
        except errors.StatusError as error:
            if not namespace_is_terminating(error):
                raise

    def _selected(self, service: Service) -> list[Pod]:
        """The pods that the selector means, by way of its rarest label."""
        selector = (service.spec.selector if service.spec else None) or {}
        namespace = objects.namespace(service)
        lists = (self._pods.by_index(LABEL, f"{namespace}/{name}={value}") for name, value in selector.items())
        rarest = min(lists, key=len)
        return sorted((pod for pod in rarest if selector.items() <= objects.labels(pod).items()), key=_age)

    async def _write_slices(self, key: str, service: Service, candidates: list[Pod]) -> None:
        await self._writer.write(key, slices.decide(service, candidates, self._writer.existing(key), self.clock()))

    async def _write_endpoints(self, key: str, service: Service, candidates: list[Pod]) -> None:
        cached = self._endpoints.get(key)
        there = self._latest_endpoints.all(key, [cached] if cached else [], self._endpoints.resource_version)
        wanted = legacy.decide(service, candidates, there[0] if there else None, self.clock())
        if wanted is None:
            return
        if objects.uid(wanted):
            written = await self.client.update(wanted)
        else:
            written = await self.client.create(wanted)
        self._latest_endpoints.wrote(written, key)

    async def _clean_up(self, key: str) -> None:
        """The Service is gone: so is what was made for it. Slices go with their owner too; this is just sooner."""
        await self._writer.clear(key)
        left = self._endpoints.get(key)
        if left is not None and legacy.is_managed(left):
            with contextlib.suppress(errors.NotFound):
                await self.client.delete(Endpoints, objects.name(left), objects.namespace(left), uid=objects.uid(left))


def _age(pod: Pod) -> tuple[float, str]:
    return objects.created(pod), objects.name(pod)
