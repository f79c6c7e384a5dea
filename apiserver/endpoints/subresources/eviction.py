"""eviction: a polite delete of a pod (drain)."""

from __future__ import annotations

from api.errors import BadRequest
from apiserver.endpoints import delete as deletion
from apiserver.endpoints.body import read_typed
from apiserver.endpoints.http import Request
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.write import Author

GROUP, VERSION, KIND = "policy", "v1", "Eviction"
_CREATED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def _create(state: State, request: Request, resource: Resource, target: Target) -> None:
    eviction = await read_typed(request, "io.k8s.api.policy.v1.Eviction", GROUP, VERSION, KIND)
    name = (eviction.get("metadata") or {}).get("name") or target.name
    if name != target.name:
        raise BadRequest(f"name in URL does not match name in Eviction object: {target.name} != {name}")
    query = {key: value for key, value in request.query.items() if key == "dryRun"}
    options = deletion.read_options(eviction.get("deleteOptions") or {}, query)
    author = Author(request.user, warnings=request.warnings)
    await deletion.delete(state, resource, target.namespace, target.name, options, author)
    await request.answer_json(201, _CREATED)


EVICTION = Subresource("eviction", {"create": _create}, GROUP, VERSION, KIND)
