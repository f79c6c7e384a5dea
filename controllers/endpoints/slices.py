"""The EndpointSlices of a Service that selects pods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from api.types import core_v1, discovery_v1
from controllers import objects
from controllers.endpoints.backends import (
    HEADLESS,
    SERVICE_NAME,
    Backend,
    Ports,
    backends,
    families,
    is_headless,
)
from controllers.endpoints.plan import MANAGED_BY, Book, Changes, Endpoint, EndpointSlice, Identity, identity_of, plan

MANAGER = "endpointslice-controller.k8s.io"


def is_managed(item: EndpointSlice) -> bool:
    return objects.labels(item).get(MANAGED_BY) == MANAGER


def decide(
    service: core_v1.Service, candidates: Sequence[core_v1.Pod], existing: Iterable[EndpointSlice], now: datetime
) -> Changes:
    """What to write so that the slices say what the pods are. Slices of other managers must not be among `existing`."""
    book = Book(
        objects.name(service), objects.namespace(service), _labels(service), objects.controller_reference(service)
    )
    return plan(book, {family: _groups(service, candidates, family) for family in families(service)}, existing, now)


def _groups(
    service: core_v1.Service, candidates: Sequence[core_v1.Pod], family: str
) -> dict[Ports, dict[Identity, Endpoint]]:
    groups: defaultdict[Ports, dict[Identity, Endpoint]] = defaultdict(dict)
    for backend in backends(service, candidates, family):
        endpoint = endpoint_of(backend)
        groups[backend.ports][identity_of(endpoint)] = endpoint
    return groups


def endpoint_of(backend: Backend) -> Endpoint:
    return Endpoint(
        addresses=[backend.address],
        conditions=discovery_v1.EndpointConditions(
            ready=backend.ready, serving=backend.serving, terminating=backend.terminating
        ),
        hostname=backend.hostname or None,
        nodeName=backend.node or None,
        targetRef=core_v1.ObjectReference(kind="Pod", namespace=backend.namespace, name=backend.pod, uid=backend.uid),
    )


def _labels(service: core_v1.Service) -> dict[str, str]:
    own = {SERVICE_NAME: objects.name(service), MANAGED_BY: MANAGER}
    if is_headless(service):
        own[HEADLESS] = ""
    inherited = {key: value for key, value in objects.labels(service).items() if key != HEADLESS}
    return {**inherited, **own}
