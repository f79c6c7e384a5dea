"""proxy: any request passed on to a pod, a service's endpoint or a node's kubelet, below
`…/{[scheme:]name[:port]}/proxy/`."""

from __future__ import annotations

import ipaddress
import posixpath
from dataclasses import dataclass

from api.errors import BadRequest, ServiceUnavailable
from apiserver.admission.chain import consult
from apiserver.auth.authorize import Attempt, authorize
from apiserver.endpoints.http import Request
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Handler, Subresource
from apiserver.remote import services, tls, upgrade
from apiserver.remote.address import Address
from apiserver.remote.passing import Backend, Unreachable, forward, kept_headers, target
from apiserver.streaming.connect import attributes_of
from apiserver.streaming.place import find, kubelet_of

_INTO_PODS = frozenset({"exec", "attach", "run", "portForward"})
VERBS = ("create", "delete", "get", "patch", "update")


@dataclass(frozen=True, slots=True)
class Place:
    """What stands in the path for a name: `https:name:port` and its shorter forms."""

    scheme: str
    name: str
    port: str

    @classmethod
    def read(cls, text: str) -> Place:
        """Raises BadRequest."""
        parts = text.split(":")
        scheme, name, port = {
            1: ("", text, ""),
            2: ("", parts[0], parts[-1]),
            3: (parts[0], *parts[1:3]),
        }.get(len(parts), ("", "", ""))
        if not name or scheme not in ("", "http", "https"):
            raise BadRequest(f'invalid request "{text}"')
        return cls(scheme, name, port)


async def pod(state: State, resource: Resource, where: Target, place: Place) -> Backend:
    """A pod, at its first container's first port if none is given."""
    found = await find(state, resource, where._replace(name=place.name))
    ports = (port for each in found["spec"]["containers"] for port in each.get("ports") or ())
    port = place.port or str(next((each["containerPort"] for each in ports), ""))
    host = (found.get("status") or {}).get("podIP")
    if not host:
        raise BadRequest("address not allowed")
    if port and not port.isdecimal():
        raise BadRequest(f'invalid port "{port}"')
    return _backend(Address(host, int(port or (443 if place.scheme == "https" else 80))), place)


async def service(state: State, resource: Resource, where: Target, place: Place) -> Backend:
    """One of the endpoints of a service's port, given by number or name; of an only port without either."""
    found = await find(state, resource, where._replace(name=place.name))
    ports = found["spec"].get("ports") or ()
    number = next((each["port"] for each in ports if place.port in (each.get("name"), str(each["port"]))), None)
    if not place.port:
        number = next((each["port"] for each in ports if not each.get("name") or len(ports) == 1), None)
    if number is None:
        raise ServiceUnavailable(f'no service port "{place.port}" found for service "{place.name}"')
    return _backend(services.resolve(state, where.namespace, place.name, number), place)


async def node(state: State, resource: Resource, where: Target, place: Place) -> Backend:
    """A node's kubelet, with this server's own certificate; at another port, whatever listens there."""
    await find(state, resource, where._replace(name=place.name))
    kubelet = kubelet_of(state, place.name)
    if not place.port or place.port == str(kubelet.port):
        return state.kubelets.backend(kubelet)
    if not place.port.isdecimal():
        raise BadRequest(f'invalid port "{place.port}"')
    return _backend(Address(kubelet.host, int(place.port)), place)


def _backend(address: Address, place: Place) -> Backend:
    """Raises BadRequest for an address that would lead back to this server's own machine."""
    try:
        ip = ipaddress.ip_address(address.host)
    except ValueError:
        ip = None
    if ip is not None and (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified):
        raise BadRequest("address not allowed")
    return Backend(address, tls.unverified() if place.scheme == "https" else None)


_RESOLVERS = {"pods": pod, "services": service, "nodes": node}


async def _connect(state: State, request: Request, resource: Resource, where: Target) -> None:
    place = Place.read(where.name)
    path = below(request.path, where.name)
    plural = resource.kind.plural
    if plural == "nodes" and leads_into_pods(path):
        # A WebSocket's method is GET, whatever is done through it: who may only read must not come in by it.
        authorize(request.user, Attempt("create", "nodes/proxy", "", "", where.name))
    options = {"kind": OPTIONS[plural], "apiVersion": "v1", "path": path}
    await consult(state, attributes_of(request, resource, where), options)
    if not path and not upgrade.wanted(request):
        await _redirect(request)
        return
    try:
        backend = await _RESOLVERS[plural](state, resource, where, place)
        await forward(state, request, backend, target(request, path or "/"), kept_headers(request))
    except Unreachable as error:
        raise ServiceUnavailable(f"error trying to reach service: {error}") from error


async def _redirect(request: Request) -> None:
    """To the same with a slash, so that relative links lead below it."""
    query = request.scope["query_string"]
    location = request.path.encode() + b"/" + (b"?" + query if query else b"")
    await request.answer(301, b"", b"text/plain", [(b"location", location)])


def below(path: str, name: str) -> str:
    """What of a request's path stands behind `{name}/proxy`, with its slashes as they are."""
    return path.partition(f"/{name}/proxy")[2]


def leads_into_pods(path: str) -> bool:
    """Whether a kubelet would run something for whom it lets in at this path."""
    return posixpath.normpath(f"/{path}").strip("/").partition("/")[0] in _INTO_PODS


OPTIONS = {"pods": "PodProxyOptions", "services": "ServiceProxyOptions", "nodes": "NodeProxyOptions"}
_HANDLERS: dict[str, Handler] = dict.fromkeys(VERBS, _connect)
PROXIES = {plural: Subresource("proxy", _HANDLERS, kind=kind, answers="connection") for plural, kind in OPTIONS.items()}
