"""eviction: a delete of a pod that asks the pod's disruption budget first (drain)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from api.errors import BadRequest, Conflict, NotFound, Timeout
from api.metadata import now, rfc3339
from apiserver.admission.chain import consult
from apiserver.endpoints import delete as deletion
from apiserver.endpoints.body import read_typed
from apiserver.endpoints.http import Request
from apiserver.endpoints.options import write_options
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources import disruption
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.write import ATTEMPTS, Author, Part, Update
from apiserver.registry.kind import Object

GROUP, VERSION, KIND = "policy", "v1", "Eviction"
_CREATED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
_TARGET = "DisruptionTarget"


async def _create(state: State, request: Request, resource: Resource, target: Target) -> None:
    eviction = await read_typed(request, "io.k8s.api.policy.v1.Eviction", GROUP, VERSION, KIND)
    meta = eviction.get("metadata") or {}
    if meta.get("name", target.name) != target.name:
        raise BadRequest("name in URL does not match name in Eviction object")
    eviction["metadata"] = {**meta, "name": target.name, "namespace": target.namespace}
    query = {key: value for key, value in request.query.items() if key == "dryRun"}
    options = deletion.read_options(eviction.get("deleteOptions") or {}, query)
    author = Author.of(request, replace(write_options(request.query, "CreateOptions"), dry_run=options.dry_run))
    attributes = author.attributes("create", resource, target.namespace, target.name, "eviction")
    await consult(state, attributes, eviction)
    await _Eviction(state, resource, target.namespace, target.name, options, author).run()
    await request.answer_status(201, _CREATED)


@dataclass(frozen=True, slots=True)
class _Eviction:
    state: State
    resource: Resource
    namespace: str
    name: str
    options: deletion.DeleteOptions
    author: Author

    async def run(self) -> None:
        """Evict the pod. Raises StatusError, EtcdError."""
        for _ in range(ATTEMPTS):
            pod = await self._pod()
            if not disruption.unguarded(pod):
                await self._guarded(pod)
                return
            # One that has not begun may become ready meanwhile, and is guarded then.
            version = "" if disruption.ended(pod) else pod["metadata"]["resourceVersion"]
            try:
                await self._delete(self.options.version or version)
                return
            except Conflict:
                if self.options.version or not version:
                    raise
        raise Conflict(self.resource.kind.resource, self.name)

    async def _pod(self) -> Object:
        key = self.resource.storage_key(self.namespace, self.name)
        pod = await self.resource.decode(await self.state.store.get(key))
        if pod is None:
            raise NotFound(self.resource.kind.resource, self.name)
        return pod

    async def _guarded(self, pod: Object) -> None:
        budgets = self.state.resource("poddisruptionbudgets", GROUP)
        await self.state.feed.fresh()
        own = budgets.cache.select(self.namespace, None)
        budget = disruption.budget_of(pod, (entry.decode() for entry in own))
        if budget is None:
            await self._delete(self.options.version)
        elif not disruption.costs_nothing(pod, budget):
            await self._draw(budgets, budget["metadata"]["name"])
            await self._delete(self.options.version)
        else:
            try:
                await self._delete(self.options.version or pod["metadata"]["resourceVersion"])
            except Conflict as conflict:
                if self.options.version:
                    raise
                raise disruption.not_counted(budget["metadata"]["name"]) from conflict

    async def _draw(self, budgets: Resource, name: str) -> None:
        """Take a disruption out of the budget. Raises TooManyRequests, Forbidden, Timeout, NotFound."""

        def drawn(old: Object) -> Object:
            budget: Object = orjson.loads(orjson.dumps(old))
            disruption.draw(budget, self.name, rfc3339(now()))
            return budget

        update = Update(self.state, budgets, self.namespace, name, self.author, drawn, Part.SERVER)
        update.silent = update.retry = True
        try:
            await update.run()
        except Conflict as conflict:
            why = f'couldn\'t update PodDisruptionBudget "{name}" due to conflicts'
            raise Timeout(why, retry_after=10) from conflict

    async def _delete(self, version: str) -> None:
        """Say on the pod why it goes, and delete it. `version` is the only one of it that may go, if any."""
        if not self.options.dry_run:
            marked = await self._mark(version)
            version = marked if version else ""
        options = replace(self.options, version=version)
        where = (self.state, self.resource, self.namespace, self.name)
        await deletion.delete(*where, options, self.author, admitted=True)

    async def _mark(self, version: str) -> str:
        """The pod's version after it has been marked. Raises Conflict if it is not the pod that is meant."""

        def marked(old: Object) -> Object:
            meta = old["metadata"]
            pairs = (("UID", self.options.uid, meta["uid"]), ("ResourceVersion", version, meta["resourceVersion"]))
            for what, wanted, found in pairs:
                if wanted and wanted != found:
                    gone = "deleted and then recreated" if what == "UID" else "modified"
                    text = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found})."
                    raise Conflict("Pod", self.name, f"{text} The object might have been {gone}")
            return _targeted(old)

        update = Update(self.state, self.resource, self.namespace, self.name, self.author, marked, Part.SERVER)
        update.silent = update.retry = True
        return str(orjson.loads(await update.run())["metadata"]["resourceVersion"])


def _targeted(old: Object) -> Object:
    """The pod with a condition that tells its owner why it goes."""
    pod: Object = orjson.loads(orjson.dumps(old))
    status = pod.setdefault("status", {})
    before = [each for each in status.get("conditions") or () if each.get("type") == _TARGET]
    if before and before[0].get("status") == "True":
        return pod
    condition = {
        "type": _TARGET,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": rfc3339(now()),
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    status["conditions"] = [each for each in status.get("conditions") or () if each not in before] + [condition]
    return pod


EVICTION = Subresource("eviction", {"create": _create}, GROUP, VERSION, KIND, answers="status")
