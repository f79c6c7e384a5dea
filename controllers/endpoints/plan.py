"""Which slices to write so that they hold what they should: at most 100 endpoints each, few of them rewritten. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from api.metadata import rfc3339
from api.names import generate
from api.types import discovery_v1, meta_v1
from controllers import objects
from controllers.endpoints.backends import LAST_CHANGE, Ports

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MOST_ENDPOINTS = 100

EndpointSlice = discovery_v1.EndpointSlice
Endpoint = discovery_v1.Endpoint
Identity = tuple[str, str]
"""What makes an endpoint the same one as before: its target's uid and its address."""
Wanted = Mapping[str, Mapping[Ports, Mapping[Identity, Endpoint]]]
"""The endpoints by address family and ports. A family without any is there too, and gets one empty slice."""


@dataclass
class Changes:
    create: list[EndpointSlice] = field(default_factory=list)
    update: list[EndpointSlice] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)


@dataclass(frozen=True)
class Book:
    """Whose slices they are, and what all of them have in common."""

    name: str
    namespace: str
    labels: dict[str, str]
    owner: meta_v1.OwnerReference


def identity_of(endpoint: Endpoint) -> Identity:
    return (endpoint.targetRef.uid if endpoint.targetRef else None) or "", endpoint.addresses[0]


def plan(book: Book, wanted: Wanted, existing: Iterable[EndpointSlice], now: datetime) -> Changes:
    """`existing` are the book's present slices and no others."""
    changes = Changes()
    by_family: defaultdict[str, list[EndpointSlice]] = defaultdict(list)
    for item in existing:
        by_family[item.addressType or ""].append(item)
    for family, groups in wanted.items():
        _Family(book, family, by_family.pop(family, []), changes, now).make(groups)
    for left in by_family.values():
        changes.delete.extend(left)
    return changes


def _ports_of(item: EndpointSlice) -> tuple[tuple[str, str, int, str], ...]:
    listed = (
        (each.name or "", each.protocol or "TCP", each.port or 0, each.appProtocol or "") for each in item.ports or ()
    )
    return tuple(sorted(listed))


@dataclass
class _Family:
    """The slices of one address family."""

    book: Book
    family: str
    existing: list[EndpointSlice]
    changes: Changes
    now: datetime

    def make(self, wanted: Mapping[Ports, Mapping[Identity, Endpoint]]) -> None:
        """Group by group of equal ports. Without any backend one empty slice says so."""
        if not wanted:
            self._group((), {}, self.existing[:1])
            self.changes.delete.extend(self.existing[1:])
            return
        by_ports: defaultdict[tuple[object, ...], list[EndpointSlice]] = defaultdict(list)
        for item in self.existing:
            by_ports[_ports_of(item)].append(item)
        for ports, members in sorted(wanted.items()):
            key = tuple((each.name, each.protocol, each.number, each.app_protocol) for each in ports)
            self._group(ports, dict(members), by_ports.pop(key, []))
        for left in by_ports.values():
            self.changes.delete.extend(left)

    def _group(self, ports: Ports, members: dict[Identity, Endpoint], existing: list[EndpointSlice]) -> None:
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

    def _still_there(self, item: EndpointSlice, members: dict[Identity, Endpoint]) -> list[Endpoint]:
        """The slice's endpoints as they are now; those found here are taken out of `members`."""
        found = []
        for endpoint in item.endpoints or ():
            now = members.pop(identity_of(endpoint), None)
            if now is not None:
                found.append(now)
        return found[:MOST_ENDPOINTS]

    def _update(self, item: EndpointSlice, endpoints: list[Endpoint]) -> None:
        labels, owners = self.book.labels, [self.book.owner]
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
        prefix = f"{self.book.name}-"
        return EndpointSlice(
            metadata=meta_v1.ObjectMeta(
                name=generate(prefix),
                generateName=prefix,
                namespace=self.book.namespace,
                labels=self.book.labels,
                annotations=self._annotations(),
                ownerReferences=[self.book.owner],
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

    def _annotations(self) -> dict[str, str]:
        return {LAST_CHANGE: rfc3339(self.now)}
