"""exec, attach and portforward: a connection to a pod, which becomes one to the kubelet of its node.

What is spoken on it (WebSocket or SPDY) is the client's and the kubelet's matter. This server decides who may, asks
admission about the options, and from then on carries bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from api.errors import BadRequest, InternalError
from apiserver.admission.attributes import Attributes
from apiserver.admission.chain import consult
from apiserver.auth.authorize import Attempt, authorize
from apiserver.endpoints.http import Request, flag
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.registry.kind import Object
from apiserver.remote import upgrade
from apiserver.remote.passing import Unreachable, forward, kept_headers
from apiserver.streaming.place import choose_container, find, host_of

_FLAGS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
"""What the kubelet calls the options of an exec and an attach."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One of the three: how its options are read, and where the kubelet serves it for a pod with them."""

    kind: str
    options: Callable[[Request], Object]
    path: Callable[[Object, Object], str]
    has_container: bool = True


async def open_to(state: State, request: Request, resource: Resource, target: Target, connection: Connection) -> None:
    """Connect the client to the pod. Raises StatusError."""
    # The HTTP method of a WebSocket is GET, whatever is done through it: who may only read must not come in by it.
    what = f"{target.plural}/{target.subresource}"
    authorize(request.user, Attempt("create", what, target.group, target.namespace, target.name))
    options = {"kind": connection.kind, "apiVersion": "v1", **connection.options(request)}
    pod = await find(state, resource, target)
    if connection.has_container:
        options["container"] = choose_container(pod, options.get("container", ""))
    await consult(state, attributes_of(request, resource, target), options)
    if not upgrade.wanted(request):
        raise BadRequest("Upgrade request required")
    backend = state.kubelets.backend(host_of(state, pod))
    try:
        await forward(state, request, backend, connection.path(pod, options), kept_headers(request))
    except Unreachable as error:
        raise InternalError(f"error dialing backend: {error}") from error


def attributes_of(request: Request, resource: Resource, target: Target) -> Attributes:
    """What admission is told of a connection."""
    attributes = Attributes(
        "connect", resource, target.namespace, target.name, request.user, target.subresource, warnings=request.warnings
    )
    if request.audit is not None:
        attributes.annotations = request.audit.annotations
    return attributes


def _stream_options(request: Request) -> Object:
    query = request.query
    options: Object = {name: True for name in _FLAGS if flag(query, name)}
    if query.get("container"):
        options["container"] = query["container"]
    return options


def _exec_options(request: Request) -> Object:
    command = [value for name, value in request.query_list() if name == "command"]
    return _stream_options(request) | {"command": command}


def _forward_options(request: Request) -> Object:
    ports: list[int] = []
    for name, value in request.query_list():
        for port in value.split(",") if name == "ports" else ():
            if not port.isdecimal():
                raise BadRequest(f'strconv.ParseInt: parsing "{port}": invalid syntax')
            ports.append(int(port))
    return {"ports": ports} if ports else {}


def _path(verb: str, pod: Object, options: Object, names: tuple[str, ...], more: list[tuple[str, str]]) -> str:
    meta = pod["metadata"]
    place = "/".join(quote(each, safe="") for each in (meta["namespace"], meta["name"], *names))
    query = [(theirs, "1") for ours, theirs in _FLAGS.items() if options.get(ours)] + more
    return f"/{verb}/{place}{'?' if query else ''}{urlencode(query)}"


def _exec_path(pod: Object, options: Object) -> str:
    command = [("command", word) for word in options.get("command") or ()]
    return _path("exec", pod, options, (options["container"],), command)


def _attach_path(pod: Object, options: Object) -> str:
    return _path("attach", pod, options, (options["container"],), [])


def _forward_path(pod: Object, options: Object) -> str:
    ports = ",".join(str(port) for port in options.get("ports") or ())
    return _path("portForward", pod, options, (), [("port", ports)] if ports else [])


def _subresource(name: str, connection: Connection) -> Subresource:
    async def connect(state: State, request: Request, resource: Resource, target: Target) -> None:
        await open_to(state, request, resource, target, connection)

    handlers = {"create": connect, "get": connect}
    return Subresource(name, handlers, kind=connection.kind, answers="connection")


EXEC = _subresource("exec", Connection("PodExecOptions", _exec_options, _exec_path))
ATTACH = _subresource("attach", Connection("PodAttachOptions", _stream_options, _attach_path))
PORTFORWARD = _subresource("portforward", Connection("PodPortForwardOptions", _forward_options, _forward_path, False))
