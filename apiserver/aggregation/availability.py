"""Whether the servers behind APIServices can be asked: the Available condition, kept by each API server alike.

Several servers come to the same verdict, so whoever is first writes it, and the others find nothing to change. The
answer to the check, the group's list of resources, is what discovery shows of the group.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from api import schema as schemas
from api.errors import NotFound, StatusError
from api.metadata import now, rfc3339
from apiserver.aggregation.proxy import Proxy, Unreachable
from apiserver.endpoints.write import Author, Part, Update
from apiserver.registry.apiservice import AVAILABLE, condition
from apiserver.remote import services
from apiserver.storage.changes import Changes
from apiserver.storage.etcd import EtcdError
from daemon.log import logger

if TYPE_CHECKING:
    from apiserver.aggregation.directory import Directory, Remote
    from apiserver.aggregation.schemas import Schemas
    from apiserver.endpoints.state import Resource, State
    from apiserver.registry.kind import Object

log = logger(__name__)

_RESOURCE_LIST = "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList"
CHECK_SECONDS = 5.0
AGAIN_WELL, AGAIN_ILL = 30.0, 2.0
"""Seconds until a server is looked at again when nothing has changed: one that answered, one that did not."""
SETTLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to stand in the condition."""

    available: bool
    reason: str
    message: str

    def condition(self, moment: str) -> Object:
        return {
            "type": AVAILABLE,
            "status": "True" if self.available else "False",
            "lastTransitionTime": moment,
            "reason": self.reason,
            "message": self.message,
        }


PASSED = Verdict(True, "Passed", "all checks passed")


def obstacle(state: State, remote: Remote) -> Verdict | None:
    """What stands in the way before the server is even asked, as far as the caches tell."""
    service, where = remote.service, f'service/{remote.service} in "{remote.namespace}"'
    try:
        found = services.find_service(state, remote.namespace, service)
    except NotFound:
        return Verdict(False, "ServiceNotFound", f"{where} is not present")
    if found["spec"].get("type") == "ExternalName":
        return None
    try:
        port = services.find_port(found, remote.port)
    except StatusError:
        return Verdict(False, "ServicePortError", f"{where} is not listening on port {remote.port}")
    if not services.places(state, remote.namespace, service):
        return Verdict(False, "EndpointsNotFound", f"cannot find endpointslices for {where}")
    name = port.get("name") or ""
    if not any(services.endpoints(state, remote.namespace, service, name)):
        why = f'endpointslices for {where} have no addresses with port name "{name}"'
        return Verdict(False, "MissingEndpoints", why)
    return None


class Availability:
    """Looks after the conditions. `documents` are the resource lists of the servers that answer, by APIService."""

    def __init__(self, state: State, directory: Directory, proxy: Proxy, schemas: Schemas, resource: Resource) -> None:
        self._schemas = schemas
        self._state = state
        self._directory = directory
        self._proxy = proxy
        self._resource = resource
        self._plans: dict[str, _Plan] = {}
        self.documents: dict[str, Object] = {}
        self.generation = 0
        """Grows when a document changes."""

    async def run(self) -> None:
        """Until cancelled."""
        await self._state.feed.filled.wait()
        loop = asyncio.get_running_loop()
        state = self._state
        depends_on = (state.resource("services"), state.resource("endpoints"))
        slices = state.resource("endpointslices", "discovery.k8s.io")
        caches = [each.cache for each in (self._resource, *depends_on, slices)]
        while True:
            with Changes(caches) as changes:
                remotes = list(self._directory)
                self._forget(remotes)
                due = [remote for remote in remotes if self._is_due(remote, loop.time())]
                await asyncio.gather(*map(self._look, due))
                soonest = min((plan.again for plan in self._plans.values()), default=None)
                await changes.wait(None if soonest is None else max(soonest - loop.time(), 0))
            await asyncio.sleep(SETTLE_SECONDS)  # changes come in crowds: one look for all of them

    def _forget(self, remotes: list[Remote]) -> None:
        names = {remote.name for remote in remotes}
        self._plans = {name: plan for name, plan in self._plans.items() if name in names}
        for name in self.documents.keys() - names:
            del self.documents[name]
            self._schemas.forget(name)
            self.generation += 1

    def _is_due(self, remote: Remote, moment: float) -> bool:
        plan = self._plans.get(remote.name)
        return plan is None or plan.again <= moment or plan.basis != self._basis(remote)

    def _basis(self, remote: Remote) -> object:
        """All that a verdict rests on, besides the other server itself."""
        service = self._state.resource("services").cache.entries.get(f"{remote.namespace}/{remote.service}")
        places = services.places(self._state, remote.namespace, remote.service)
        revisions = [(entry.key, entry.revision) for entry in places]
        return replace(remote, available=False), service.revision if service else 0, revisions

    async def _look(self, remote: Remote) -> None:
        loop, basis = asyncio.get_running_loop(), self._basis(remote)
        verdict = obstacle(self._state, remote) or await self._ask(remote)
        self._plans[remote.name] = _Plan(basis, loop.time() + (AGAIN_WELL if verdict.available else AGAIN_ILL))
        try:
            await self._write(remote, verdict)
        except NotFound:
            log.debug("an APIService went while it was looked at", name=remote.name)
        except (StatusError, EtcdError) as error:
            log.warning("could not write an APIService's condition", name=remote.name, why=str(error))
        if verdict.available:
            await self._schemas.refresh(remote)

    async def _ask(self, remote: Remote) -> Verdict:
        try:
            answer = await self._proxy.get(remote, remote.path, CHECK_SECONDS)
        except Unreachable as error:
            why = f'failing or missing response from {error.url}: Get "{error.url}": {error}'
            return Verdict(False, "FailedDiscoveryCheck", why)
        if not 200 <= answer.status < 300:
            why = f"bad status from {answer.url}: {answer.status}"
            return Verdict(False, "FailedDiscoveryCheck", f"failing or missing response from {answer.url}: {why}")
        self._keep(remote, answer.body)
        return PASSED

    def _keep(self, remote: Remote, body: bytes) -> None:
        document = resource_list(body)
        if document is None:
            log.warning("a server behind an APIService lists no resources", name=remote.name)
            document = {"resources": []}
        if self.documents.get(remote.name) != document:
            self.documents[remote.name] = document
            self.generation += 1

    async def _write(self, remote: Remote, verdict: Verdict) -> None:
        """Write the verdict, if it does not stand there already. Raises StatusError, EtcdError."""
        entry = self._resource.cache.entries.get(remote.name)
        if entry is None or _says(entry.decode(), verdict):
            return

        def transform(old: Object) -> Object:
            new: Object = orjson.loads(orjson.dumps(old))
            before = condition(new)
            same = before.get("status") == ("True" if verdict.available else "False")
            wanted = verdict.condition(before["lastTransitionTime"] if same else rfc3339(now()))
            others = [each for each in (new.get("status") or {}).get("conditions") or () if each != before]
            new["status"] = {"conditions": [*others, wanted]}
            return new

        update = Update(self._state, self._resource, "", remote.name, Author.server(), transform, Part.STATUS)
        update.subresource, update.retry = "status", True
        await update.run()


def resource_list(body: bytes) -> Object | None:
    """The APIResourceList in another server's answer, or None for anything else: discovery must not stumble over it."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    schema = schemas.load(_RESOURCE_LIST)
    if not isinstance(document, dict) or schemas.type_error(schema, "APIResourceList", "v1", document):
        return None
    schemas.prune(schema, document)
    listed = [each for each in document.get("resources") or () if each.get("name")]
    return {**document, "resources": listed}


@dataclass(frozen=True, slots=True)
class _Plan:
    """When to look at a server again, unless what the last look rested on changes before."""

    basis: object
    again: float


def _says(obj: Object, verdict: Verdict) -> bool:
    found = condition(obj)
    return found == verdict.condition(found.get("lastTransitionTime") or "")
