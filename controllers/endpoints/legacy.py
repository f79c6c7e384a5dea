"""The Endpoints object of a Service: the older form, still read by many clients. Addresses grouped by equal ports."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from api.metadata import rfc3339
from api.types import core_v1, meta_v1
from controllers import objects
from controllers.endpoints.backends import (
    HEADLESS,
    LAST_CHANGE,
    Backend,
    Ports,
    backends,
    families,
    is_headless,
    publishes_unready,
)

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MOST_ADDRESSES = 1000

Subset = core_v1.EndpointSubset
Address = core_v1.EndpointAddress


def is_managed(item: core_v1.Endpoints) -> bool:
    return objects.labels(item).get(MANAGED_BY) == MANAGER


def subsets(service: core_v1.Service, candidates: Sequence[core_v1.Pod]) -> tuple[list[Subset], bool]:
    """The subsets, of the Service's first address family, and whether addresses were left out for their number."""
    staying_too = publishes_unready(service)
    found = [
        backend
        for backend in backends(service, candidates, families(service)[0])
        if staying_too or not backend.terminating
    ]
    # Of too many, the ready ones are worth more.
    ordered = sorted(found, key=lambda each: (not each.ready, ipaddress.ip_address(each.address), each.uid))
    groups: defaultdict[Ports, list[Backend]] = defaultdict(list)
    for backend in ordered[:MOST_ADDRESSES]:
        groups[backend.ports].append(backend)
    return [_subset(ports, members) for ports, members in sorted(groups.items())], len(ordered) > MOST_ADDRESSES


def _subset(ports: Ports, members: list[Backend]) -> Subset:
    return Subset(
        addresses=[_address(each) for each in members if each.ready] or None,
        notReadyAddresses=[_address(each) for each in members if not each.ready] or None,
        ports=[
            core_v1.EndpointPort(
                name=port.name or None, port=port.number, protocol=port.protocol, appProtocol=port.app_protocol or None
            )
            for port in ports
        ]
        or None,
    )


def _address(backend: Backend) -> Address:
    return Address(
        ip=backend.address,
        hostname=backend.hostname or None,
        nodeName=backend.node or None,
        targetRef=core_v1.ObjectReference(kind="Pod", namespace=backend.namespace, name=backend.pod, uid=backend.uid),
    )


def decide(
    service: core_v1.Service, candidates: Sequence[core_v1.Pod], existing: core_v1.Endpoints | None, now: datetime
) -> core_v1.Endpoints | None:
    """The object to write (new if it has no uid), or None when all is well."""
    wanted, truncated = subsets(service, candidates)
    labels = {**objects.labels(service), MANAGED_BY: MANAGER}
    labels.pop(HEADLESS, None)
    if is_headless(service):
        labels[HEADLESS] = ""
    before = objects.annotations_of(existing) if existing else {}
    annotations = {key: value for key, value in before.items() if key != OVER_CAPACITY}
    if truncated:
        annotations[OVER_CAPACITY] = "truncated"
    same = existing is not None and list(existing.subsets or ()) == wanted
    if existing is not None and same and dict(objects.labels(existing)) == labels and before == annotations:
        return None
    if not same:
        annotations[LAST_CHANGE] = rfc3339(now)
    if existing is None:
        metadata = meta_v1.ObjectMeta(name=objects.name(service), namespace=objects.namespace(service))
        existing = core_v1.Endpoints(metadata=metadata)
    metadata = msgspec.structs.replace(objects.meta(existing), labels=labels, annotations=annotations)
    return msgspec.structs.replace(existing, metadata=metadata, subsets=wanted or None)
