"""The EndpointSlices of a Service: at most 100 backends each, and as few of them rewritten as a change allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from api.metadata import rfc3339
from api.names import generate
from api.types import core_v1, discovery_v1, meta_v1
from controllers import objects
from controllers.endpoints.backends import (
    HEADLESS,
    LAST_CHANGE,
    SERVICE_NAME,
    Backend,
    Ports,
    backends,
    families,
    is_headless,
)

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
MOST_ENDPOINTS = 100

EndpointSlice = discovery_v1.EndpointSlice
Endpoint = discovery_v1.Endpoint


@dataclass
class Changes:
    create: list[EndpointSlice] = field(default_factory=list)
    update: list[EndpointSlice] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)


def is_managed(item: EndpointSlice) -> bool:
    return objects.labels(item).get(MANAGED_BY) == MANAGER


def decide(
    service: core_v1.Service, candidates: Sequence[core_v1.Pod], existing: Iterable[EndpointSlice], now: datetime
) -> Changes:
    """What to write so that the slices say what the pods are. Slices of other managers must not be among `existing`."""
    changes = Changes()
    by_family: defaultdict[str, list[EndpointSlice]] = defaultdict(list)
    for item in existing:
        by_family[item.addressType or ""].append(item)
    for family in families(service):
        wanted: defaultdict[Ports, dict[str, Endpoint]] = defaultdict(dict)
        for backend in backends(service, candidates, family):
            wanted[backend.ports][backend.uid] = endpoint_of(backend)
        _Plan(service, family, by_family.pop(family, []), changes, now).make(wanted)
    for left in by_family.values():
        changes.delete.extend(left)
    return changes


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


def ports_of(item: EndpointSlice) -> tuple[tuple[str, str, int, str], ...]:
    listed = (
        (each.name or "", each.protocol or "TCP", each.port or 0, each.appProtocol or "") for each in item.ports or ()
    )
    return tuple(sorted(listed))


@dataclass
class _Plan:
    """The slices of one address family."""

    service: core_v1.Service
    family: str
    existing: list[EndpointSlice]
    changes: Changes
    now: datetime

    def make(self, wanted: Mapping[Ports, dict[str, Endpoint]]) -> None:
        """Group by group of equal ports. Without any backend one empty slice says so."""
        if not wanted:
            self._group((), {}, self.existing[:1])
            self.changes.delete.extend(self.existing[1:])
            return
        by_ports: defaultdict[tuple[object, ...], list[EndpointSlice]] = defaultdict(list)
        for item in self.existing:
            by_ports[ports_of(item)].append(item)
        for ports, members in sorted(wanted.items()):
            key = tuple((each.name, each.protocol, each.number, each.app_protocol) for each in ports)
            self._group(ports, dict(members), by_ports.pop(key, []))
        for left in by_ports.values():
            self.changes.delete.extend(left)

    def _group(self, ports: Ports, members: dict[str, Endpoint], existing: list[EndpointSlice]) -> None:
        kept = {objects.uid(item): self._still_there(item, members) for item in existing}
        changed = {uid for item in existing if kept[uid := objects.uid(item)] != list(item.endpoints or ())}
        new = list(members.values())
        # What must be rewritten anyway takes the new ones first, then what is fullest.
        by_room = sorted(existing, key=lambda item: (objects.uid(item) not in changed, -len(kept[objects.uid(item)])))
        for item in by_room:
            room = MOST_ENDPOINTS - len(kept[objects.uid(item)])
            kept[objects.uid(item)] += new[:room]
            new = new[room:]
        fresh = [new[start : start + MOST_ENDPOINTS] for start in range(0, len(new), MOST_ENDPOINTS)]
        stays = bool(fresh) or any(kept.values())
        for item in existing:
            endpoints = kept[objects.uid(item)]
            if endpoints or not stays:
                stays = True
                self._update(item, endpoints)
            else:
                self.changes.delete.append(item)
        self.changes.create.extend(self._slice(ports, endpoints) for endpoints in fresh or ([] if stays else [[]]))

    def _still_there(self, item: EndpointSlice, members: dict[str, Endpoint]) -> list[Endpoint]:
        """The slice's endpoints as they are now; those found here are taken out of `members`."""
        found = []
        for endpoint in item.endpoints or ():
            now = members.pop((endpoint.targetRef.uid if endpoint.targetRef else None) or "", None)
            if now is not None:
                found.append(now)
        return found[:MOST_ENDPOINTS]

    def _update(self, item: EndpointSlice, endpoints: list[Endpoint]) -> None:
        labels = self._labels()
        owners = [objects.controller_reference(self.service)]
        metadata = objects.meta(item)
        same = list(item.endpoints or ()) == endpoints
        if same and dict(objects.labels(item)) == labels and metadata.ownerReferences == owners:
            return
        written = msgspec.structs.replace(
            metadata,
            labels=labels,
            ownerReferences=owners,
            annotations=metadata.annotations if same else {**objects.annotations_of(item), **self._annotations()},
        )
        self.changes.update.append(msgspec.structs.replace(item, metadata=written, endpoints=endpoints))

    def _slice(self, ports: Ports, endpoints: list[Endpoint]) -> EndpointSlice:
        prefix = f"{objects.name(self.service)}-"
        return EndpointSlice(
            metadata=meta_v1.ObjectMeta(
                name=generate(prefix),
                generateName=prefix,
                namespace=objects.namespace(self.service),
                labels=self._labels(),
                annotations=self._annotations(),
                ownerReferences=[objects.controller_reference(self.service)],
            ),
            addressType=self.family,
            endpoints=endpoints,
            ports=[
                discovery_v1.EndpointPort(
                    name=port.name, protocol=port.protocol, port=port.number, appProtocol=port.app_protocol or None
                )
                for port in ports
            ]
            or None,
        )

    def _labels(self) -> dict[str, str]:
        own = {SERVICE_NAME: objects.name(self.service), MANAGED_BY: MANAGER}
        if is_headless(self.service):
            own[HEADLESS] = ""
        inherited = {key: value for key, value in objects.labels(self.service).items() if key != HEADLESS}
        return {**inherited, **own}

    def _annotations(self) -> dict[str, str]:
        return {LAST_CHANGE: rfc3339(self.now)}
