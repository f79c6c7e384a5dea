"""binding: a scheduler's word on which node a pod runs."""

from __future__ import annotations

import orjson

from api.errors import BadRequest, Conflict, Invalid
from api.field import not_supported, required
from api.metadata import now, rfc3339
from apiserver.admission.chain import consult
from apiserver.endpoints.body import read_typed
from apiserver.endpoints.http import Request
from apiserver.endpoints.options import write_options
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.write import Author, Part, Update
from apiserver.registry.kind import Object

_CREATED = orjson.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})


async def create(state: State, request: Request, resource: Resource, target: Target) -> None:
    """Bind the pod that the path names, or else the object. Raises StatusError."""
    binding = await read_typed(request, "io.k8s.api.core.v1.Binding", "", "v1", "Binding")
    options = write_options(request.query, "CreateOptions")
    meta = binding.get("metadata") or {}
    name = target.name or meta.get("name") or ""
    if meta.get("name", name) != name:
        raise BadRequest(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
    binding["metadata"] = {**meta, "name": name, "namespace": target.namespace}
    author = Author.of(request, options)
    await consult(state, author.attributes("create", resource, target.namespace, name, "binding"), binding)
    node = _node(binding)

    def bind(old: Object) -> Object:
        # Only what a binding touches is copied: the bulk of a pod is written as it is.
        touched = {part: dict(old.get(part) or {}) for part in ("metadata", "spec", "status")}
        return bound({**old, **touched}, binding, node)

    await Update(state, resource, target.namespace, name, author, bind, Part.SERVER, silent=True, retry=True).run()
    await request.answer(201, _CREATED)


def _node(binding: Object) -> str:
    """The node's name. Raises Invalid."""
    where = binding.get("target") or {}
    errors = []
    if where.get("kind") not in (None, "", "Node", "Minion"):
        errors.append(not_supported("target.kind", where["kind"], ("Node", "<empty>")))
    if not where.get("name"):
        errors.append(required("target.name", ""))
    if errors:
        raise Invalid("Binding", "", (binding.get("metadata") or {}).get("name") or "", errors)
    return str(where["name"])


def bound(pod: Object, binding: Object, node: str) -> Object:
    """Put the pod, which is changed, on its node. Raises Conflict if it may not go there."""
    meta, name = pod["metadata"], pod["metadata"]["name"]
    wanted = binding.get("metadata") or {}
    if wanted.get("uid") and wanted["uid"] != meta["uid"]:
        why = f"Precondition failed: UID in precondition: {wanted['uid']}, UID in object meta: {meta['uid']}"
        raise Conflict("pods", name, why)
    if wanted.get("resourceVersion") and wanted["resourceVersion"] != meta["resourceVersion"]:
        raise Conflict("pods", name)
    if meta.get("deletionTimestamp"):
        raise Conflict("pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        raise Conflict("pods/binding", name, f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"')
    if pod["spec"].get("schedulingGates"):
        raise Conflict("pods/binding", name, f"pod {name} has non-empty .spec.schedulingGates")
    pod["spec"]["nodeName"] = node
    if wanted.get("annotations"):
        meta["annotations"] = {**(meta.get("annotations") or {}), **wanted["annotations"]}
    _set_scheduled(pod)
    return pod


def _set_scheduled(pod: Object) -> None:
    status = pod.setdefault("status", {})
    kept = [each for each in status.get("conditions") or () if each.get("type") != "PodScheduled"]
    moment = rfc3339(now())
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": moment}
    status["conditions"] = [*kept, scheduled]


BINDING = Subresource("binding", {"create": create}, kind="Binding", answers="status")
