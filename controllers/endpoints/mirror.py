"""Endpoints that somebody wrote by hand, mirrored into EndpointSlices: proxies read nothing else.

Only those of a Service without a selector; of any other the slices come from its pods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from api.types import core_v1, discovery_v1
from controllers import objects
from controllers.endpoints.backends import SERVICE_NAME, Port, Ports, family_of
from controllers.endpoints.plan import MANAGED_BY, Book, Changes, Endpoint, EndpointSlice, Identity, identity_of, plan

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
MOST_ADDRESSES = 1000
"""Of a subset; the rest is left out."""


def is_managed(item: EndpointSlice) -> bool:
    return objects.labels(item).get(MANAGED_BY) == MANAGER


def is_mirrored(service: core_v1.Service | None, endpoints: core_v1.Endpoints | None) -> bool:
    if service is None or endpoints is None or objects.deleting(endpoints):
        return False
    if service.spec is None or service.spec.selector or service.spec.type == "ExternalName":
        return False
    return objects.labels(endpoints).get(SKIP) != "true" and LEADER not in objects.annotations_of(endpoints)


def decide(endpoints: core_v1.Endpoints, existing: Iterable[EndpointSlice], now: datetime) -> Changes:
    """`existing` are the mirrored slices there are."""
    labels = {**objects.labels(endpoints), SERVICE_NAME: objects.name(endpoints), MANAGED_BY: MANAGER}
    name, namespace = objects.name(endpoints), objects.namespace(endpoints)
    book = Book(name, namespace, labels, objects.controller_reference(endpoints))
    wanted: defaultdict[str, defaultdict[Ports, dict[Identity, Endpoint]]] = defaultdict(lambda: defaultdict(dict))
    for subset in endpoints.subsets or ():
        ports = _ports(subset)
        for endpoint in _endpoints(subset):
            wanted[family_of(endpoint.addresses[0])][ports][identity_of(endpoint)] = endpoint
    return plan(book, wanted, existing, now)


def _ports(subset: core_v1.EndpointSubset) -> Ports:
    listed = (
        Port(each.name or "", each.protocol or "TCP", each.port, each.appProtocol or "") for each in subset.ports or ()
    )
    return tuple(sorted(listed))


def _endpoints(subset: core_v1.EndpointSubset) -> list[Endpoint]:
    both = [(each, True) for each in subset.addresses or ()] + [
        (each, False) for each in subset.notReadyAddresses or ()
    ]
    return [_endpoint(address, ready) for address, ready in both[:MOST_ADDRESSES] if family_of(address.ip)]


def _endpoint(address: core_v1.EndpointAddress, ready: bool) -> Endpoint:
    return Endpoint(
        addresses=[address.ip],
        conditions=discovery_v1.EndpointConditions(ready=ready),
        hostname=address.hostname or None,
        nodeName=address.nodeName or None,
        targetRef=address.targetRef,
    )
