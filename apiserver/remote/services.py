"""Where a Service can be reached from here.

The machine of an API server need not route Service addresses (it may run no proxy), so one of the ready endpoints is
taken straight.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from api.errors import NotFound, ServiceUnavailable
from apiserver.registry.kind import Object
from apiserver.remote.address import Address

if TYPE_CHECKING:
    from apiserver.endpoints.state import State
    from apiserver.storage.cache import Entry

_SERVICE_NAME = "kubernetes.io/service-name"


def find_service(state: State, namespace: str, name: str) -> Object:
    """Raises NotFound."""
    entry = state.resource("services").cache.entries.get(f"{namespace}/{name}")
    if entry is None:
        raise NotFound("services", name)
    return entry.decode()


def find_port(service: Object, number: int) -> Object:
    """The Service's port of this number. Raises ServiceUnavailable."""
    for port in service["spec"].get("ports") or ():
        if port.get("port") == number:
            found: Object = port
            return found
    raise ServiceUnavailable(f'no service port {number} found for service "{service["metadata"]["name"]}"')


def resolve(state: State, namespace: str, name: str, number: int) -> Address:
    """One of the places where the Service's port is answered now. Raises NotFound, ServiceUnavailable."""
    service = find_service(state, namespace, name)
    spec: dict[str, Any] = service["spec"]
    if spec.get("type") == "ExternalName":
        return Address(spec.get("externalName") or "", number)
    port = find_port(service, number)
    ready = list(endpoints(state, namespace, name, port.get("name") or ""))
    if not ready:
        raise ServiceUnavailable(f'no endpoints available for service "{name}"')
    return random.choice(ready)


def places(state: State, namespace: str, name: str) -> list[Entry]:
    """The objects that tell where a Service is answered: its endpoint slices, or without any its Endpoints.

    Endpoints that somebody made by hand are slices a moment later, where the controllers run.
    """
    cache = state.resource("endpointslices", "discovery.k8s.io").cache
    found = [entry for entry in cache.select(namespace, None) if entry.labels.get(_SERVICE_NAME) == name]
    by_hand = state.resource("endpoints").cache.entries.get(f"{namespace}/{name}") if not found else None
    return found if by_hand is None else [by_hand]


def endpoints(state: State, namespace: str, name: str, port_name: str) -> Iterator[Address]:
    """The ready endpoints of a Service's port."""
    for entry in places(state, namespace, name):
        obj = entry.decode()
        for each in [obj] if "endpoints" in obj else map(as_slice, obj.get("subsets") or ()):
            yield from ready_in(each, port_name)


def as_slice(subset: Object) -> Object:
    """A subset of Endpoints in the form of an endpoint slice."""
    addresses = subset.get("addresses") or ()
    return {"ports": subset.get("ports") or (), "endpoints": [{"addresses": [each["ip"]]} for each in addresses]}


def ready_in(endpoint_slice: Object, port_name: str) -> Iterator[Address]:
    """The ready endpoints in one slice."""
    numbers = [port["port"] for port in endpoint_slice.get("ports") or () if (port.get("name") or "") == port_name]
    for endpoint in endpoint_slice.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready") is not False:
            yield from (Address(host, number) for number in numbers for host in endpoint["addresses"][:1])
