"""Informers of the metadata of every kind that is served, whatever it is.

Kinds that a controller reads anyway are not watched twice. What is served is asked again when custom kinds come and go,
when a kind turns up that nobody knows, and now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from api import errors
from api.types import apps_v1, coordination_v1, core_v1, discovery_v1
from client.backoff import Backoff
from client.informer import Informer
from client.resources import KubeObject, Resource, resource_of
from client.rest import Client, Unreachable
from controllers import objects
from controllers.discovery import Discovered, discover
from controllers.informers import Informers
from controllers.partial import partial
from daemon.log import logger

log = logger(__name__)

Handler = Callable[[Resource, "objects.Object | None", "objects.Object | None"], None]

_TYPED: tuple[type[KubeObject], ...] = (
    core_v1.Pod,
    core_v1.Service,
    core_v1.Endpoints,
    core_v1.Namespace,
    core_v1.Node,
    core_v1.ServiceAccount,
    apps_v1.Deployment,
    apps_v1.ReplicaSet,
    coordination_v1.Lease,
    discovery_v1.EndpointSlice,
)
_UNWATCHED = frozenset((("", "Event"), ("events.k8s.io", "Event")))
"""They own nothing, nothing owns them, and they are many."""
_DEFINING = frozenset((("apiextensions.k8s.io", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService")))
"""Objects that bring kinds with them."""
_PERIOD = 30.0
"""Seconds after which what is served is asked again, whatever happened."""
_SETTLE = 0.2
"""Seconds between a change to what defines kinds and the question what is served now: such changes come in bursts."""
_PATIENCE = 30.0
"""Seconds that garbage collection waits for kinds that cannot be listed (a broken conversion webhook) before it begins
without them: what it does not see it asks for one by one."""


class Monitors:
    def __init__(self, client: Client, informers: Informers) -> None:
        self._client, self._informers = client, informers
        self._handlers: list[Handler] = []
        self._watched: dict[Resource, Informer[KubeObject]] = {}
        self._asking = asyncio.Lock()
        self._outdated = asyncio.Event()
        self.known = Discovered(())

    def on_change(self, handler: Handler) -> None:
        """Call `handler(resource, old, new)` for every change of every object. Before `run`."""
        self._handlers.append(handler)

    async def start(self) -> None:
        """Returns when the metadata of all kinds is there."""
        backoff = Backoff(0.1, 5.0)
        while not self.known.kinds:
            try:
                await self.refresh()
            except (errors.StatusError, Unreachable) as error:
                log.warning("cannot ask what is served", reason=str(error))
                await self._client.pause(backoff.next())
        await self.synced()

    async def refresh(self) -> Discovered:
        """Ask what is served, and watch what is new."""
        async with self._asking:
            self.known = await discover(self._client)
            for why in self.known.failures:
                log.warning("a group of the API cannot be asked", reason=why)
            served = {each.resource for each in self.known.kinds if each.can("list", "watch")}
            for resource in served:
                if (resource.group, resource.kind) not in _UNWATCHED:
                    self._watch(resource)
            if not self.known.failures:
                for resource in self._watched.keys() - served:
                    self._unwatch(resource)
            return self.known

    async def follow(self) -> None:
        """Keep up with the kinds that come and go, until cancelled."""
        backoff = Backoff(1.0, _PERIOD)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PERIOD):
                    await self._outdated.wait()
                    await asyncio.sleep(_SETTLE)
            self._outdated.clear()
            try:
                await self.refresh()
                backoff.reset()
            except (errors.StatusError, Unreachable) as error:
                log.warning("cannot ask what is served", reason=str(error))
                await asyncio.sleep(backoff.next())
                self._outdated.set()

    async def synced(self) -> None:
        """Returns when everything is there, or what is not there has been waited for long enough."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                for informer in list(self._watched.values()):
                    await informer.synced()

    async def resource(self, api_version: str, kind: str) -> Resource | None:
        """What an owner reference means; None when no such kind is served."""
        found = self.known.find(api_version, kind)
        return found or (await self.refresh()).find(api_version, kind)

    def _watch(self, resource: Resource) -> None:
        if resource in self._watched:
            return
        typed = next((cls for cls in _TYPED if resource_of(cls) == resource), None)
        informer = self._informers.of(typed or partial(resource), optional=typed is None)
        self._watched[resource] = informer
        informer.on_change(lambda key, old, new: self._tell(resource, old, new))

    def _unwatch(self, resource: Resource) -> None:
        """Its objects have gone with it, or are still served in another version."""
        informer = self._watched.pop(resource)
        self._informers.drop(partial(resource))
        if not any((each.group, each.plural) == (resource.group, resource.plural) for each in self._watched):
            for obj in informer.items():
                self._tell(resource, obj, None)

    def _tell(self, resource: Resource, old: objects.Object | None, new: objects.Object | None) -> None:
        if (resource.group, resource.kind) in _DEFINING:
            self._outdated.set()
        for handler in self._handlers:
            handler(resource, old, new)


async def live_object(client: Client, resource: Resource, namespace: str, name: str, uid: str) -> objects.Object | None:
    """Ask the API server itself for an object: None if there is none with this uid."""
    try:
        live = await client.get(partial(resource), name, namespace or None)
    except errors.NotFound:
        return None
    return live if objects.uid(live) == uid else None
