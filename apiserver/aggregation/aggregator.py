"""All that makes other servers' groups look like this server's own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from api.errors import AlreadyExists, StatusError
from apiserver.aggregation import local
from apiserver.aggregation.availability import Availability
from apiserver.aggregation.directory import GROUP, PLURAL, Directory, Remote
from apiserver.aggregation.identity import CONFIG_MAP, NAMESPACE, ProxyIdentity, merged
from apiserver.aggregation.proxy import Proxy
from apiserver.aggregation.schemas import Schemas
from apiserver.endpoints.discovery_documents import Elsewhere
from apiserver.endpoints.write import Author, Update, create
from apiserver.storage.changes import Changes
from apiserver.storage.etcd import EtcdError
from daemon.log import logger

if TYPE_CHECKING:
    from apiserver.endpoints.http import Request
    from apiserver.endpoints.paths import Target
    from apiserver.endpoints.state import State
    from apiserver.registry.kind import Object

log = logger(__name__)

AGAIN_SECONDS = 10.0
"""When to try again what etcd or another server did not let us do, and to look for what nobody told us of."""


class Aggregator:
    """The remote groups of one API server."""

    def __init__(self, state: State, identity: ProxyIdentity) -> None:
        """Raises OSError, ValueError for a certificate that is none."""
        self._state = state
        self._resource = state.resource(PLURAL, GROUP)
        self._document = identity.config_map()
        """What other servers must know to believe us."""
        self.directory = Directory(self._resource)
        self.proxy = Proxy(state, identity)
        self.schemas = Schemas(self.proxy)
        self.availability = Availability(state, self.directory, self.proxy, self.schemas, self._resource)

    @property
    def generation(self) -> tuple[int, int]:
        """Differs when discovery of the remote groups does."""
        return self.directory.generation, self.availability.generation

    def elsewhere(self) -> tuple[Elsewhere, ...]:
        """What discovery shall say of the remote groups."""
        documents = self.availability.documents
        return tuple(
            Elsewhere(
                remote.group,
                remote.version,
                remote.group_priority,
                remote.version_priority,
                documents.get(remote.name) if remote.available else None,
            )
            for remote in self.directory
        )

    def find(self, target: Target) -> Remote | None:
        """Who answers for a path, if it is another server."""
        return self.directory.find(target.group, target.version)

    async def forward(self, request: Request, remote: Remote) -> None:
        await self.proxy.forward(request, remote)

    async def run(self) -> None:
        """Keep the APIServices true until cancelled."""
        try:
            await asyncio.gather(self.availability.run(), self._keep_local())
        finally:
            await self.proxy.close()

    async def _keep_local(self) -> None:
        state = self._state
        await state.feed.filled.wait()
        caches = [self._resource.cache, state.resource("namespaces").cache]
        while True:
            with Changes(caches) as changes, state.catalog.telling(changes.wake):
                try:
                    await local.keep(state, self._resource)
                    await self._publish()
                except (EtcdError, StatusError) as error:
                    log.warning("could not keep the APIServices; trying again", why=str(error), retry_in=AGAIN_SECONDS)
                await changes.wait(AGAIN_SECONDS)

    async def _publish(self) -> None:
        """Tell other servers how to know us. Raises StatusError, EtcdError."""
        document, resource = self._document, self._state.resource("configmaps")
        if NAMESPACE not in self._state.resource("namespaces").cache.entries:
            return  # it is made while the first server starts, and that wakes us
        entry = resource.cache.entries.get(f"{NAMESPACE}/{CONFIG_MAP}")
        if entry is None:
            with suppress(AlreadyExists):  # another API server was faster: its change wakes us
                await create(self._state, resource, NAMESPACE, document, Author.server())
            return
        there = entry.decode().get("data") or {}
        if merged(there, document["data"]) != there:

            def transform(old: Object) -> Object:
                new: Object = orjson.loads(orjson.dumps(old))
                new["data"] = merged(new.get("data") or {}, document["data"])
                return new

            await Update(self._state, resource, NAMESPACE, CONFIG_MAP, Author.server(), transform, retry=True).run()
