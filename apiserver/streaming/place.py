"""Which kubelet answers for a pod: what every request about a running pod begins with."""

from __future__ import annotations

from api.errors import BadRequest, InternalError, NotFound, StatusError
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.registry.kind import Object
from apiserver.remote.address import Address
from apiserver.streaming.kubelet import KubeletError, location_of

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


async def find(state: State, resource: Resource, target: Target) -> Object:
    """The object that the path names, as new as can be. Raises NotFound."""
    await state.feed.fresh()
    entry = resource.cache.entries.get(resource.key(target.namespace, target.name))
    if entry is None:
        raise NotFound(resource.kind.resource, target.name)
    return entry.decode()


def kubelet_of(state: State, node_name: str) -> Address:
    """Where the node's kubelet listens. Raises NotFound, StatusError."""
    node = state.resource("nodes").cache.entries.get(node_name)
    if node is None:
        raise NotFound("nodes", node_name)
    try:
        return location_of(node.decode())
    except KubeletError as error:
        raise StatusError(str(error)) from error


def host_of(state: State, pod: Object) -> Address:
    """Where the kubelet of the pod's node listens. Raises BadRequest when it is on none."""
    node_name = pod["spec"].get("nodeName")
    if not node_name:
        raise BadRequest(f"pod {pod['metadata']['name']} does not have a host assigned")
    try:
        return kubelet_of(state, node_name)
    except NotFound as error:
        raise InternalError(str(error)) from error


def choose_container(pod: Object, wanted: str) -> str:
    """The container meant. Raises BadRequest when there are several and none is named, or there is none so named."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    names: dict[str, list[str]] = {
        kind: [each["name"] for each in spec.get(kind) or ()]
        for kind in ("containers", "initContainers", "ephemeralContainers")
    }
    if wanted:
        if not any(wanted in each for each in names.values()):
            raise BadRequest(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(names["containers"]) == 1:
        return names["containers"][0]
    default = (pod["metadata"].get("annotations") or {}).get(_DEFAULT_CONTAINER)
    if default and any(default in each for each in names.values()):
        return str(default)
    message = f"a container name must be specified for pod {name}, choose one of: [{' '.join(names['containers'])}]"
    if names["initContainers"]:
        message += f" or one of the init containers: [{' '.join(names['initContainers'])}]"
    raise BadRequest(message)
