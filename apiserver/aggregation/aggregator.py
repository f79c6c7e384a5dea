"""All that makes other servers' groups look like this server's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from api.errors import AlreadyExists, StatusError
from apiserver.aggregation import local
from apiserver.aggregation.availability import Availability
from apiserver.aggregation.directory import GROUP, PLURAL, Directory, Remote
from apiserver.aggregation.identity import CONFIG_MAP, NAMESPACE, ProxyIdentity
from apiserver.aggregation.proxy import Proxy
from apiserver.aggregation.schemas import Schemas
from apiserver.auth.user import MASTERS, User
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
_AUTHOR = Author(User("system:apiserver", (MASTERS,)))


class Aggregator:
    """The remote groups of one API server."""

    def __init__(self, state: State, identity: ProxyIdentity) -> None:
        self._state = state
        self._resource = state.resource(PLURAL, GROUP)
        self._identity = identity
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
        while True:
            with Changes((self._resource.cache,)) as changes, state.catalog.telling(changes.wake):
                try:
                    await local.keep(state, self._resource)
                    await self._publish()
                except (EtcdError, StatusError) as error:
                    log.warning("could not keep the APIServices; trying again", why=str(error), retry_in=AGAIN_SECONDS)
                await changes.wait(AGAIN_SECONDS)

    async def _publish(self) -> None:
        """Tell other servers how to know us. Raises StatusError, EtcdError, OSError, ValueError."""
        if self._identity.authority is None and self._identity.client_authority is None:
            return
        resource = self._state.resource("configmaps")
        document = self._identity.config_map()
        entry = resource.cache.entries.get(f"{NAMESPACE}/{CONFIG_MAP}")
        if entry is None:
            try:
                await create(self._state, resource, NAMESPACE, document, _AUTHOR)
            except AlreadyExists:
                return
        elif entry.decode().get("data") != document["data"]:

            def transform(old: Object) -> Object:
                new: Object = orjson.loads(orjson.dumps(old))
                new["data"] = {**(new.get("data") or {}), **document["data"]}
                return new

            await Update(self._state, resource, NAMESPACE, CONFIG_MAP, _AUTHOR, transform, retry=True).run()
