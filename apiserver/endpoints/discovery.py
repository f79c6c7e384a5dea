"""Discovery: which groups, versions and resources there are, plain and aggregated. All of it follows from the registry.

The documents do not change while the process runs, so each is made once, when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from api.errors import NoSuchResource
from apiserver.endpoints.http import Request
from apiserver.endpoints.subresources import subresources_of
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.virtual import VIRTUAL, Virtual
from apiserver.registry.kind import Kind

Document = dict[str, Any]

AGGREGATED = b"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Discovery:
    """The discovery documents of a set of kinds. `address` is where clients reach the server (host:port)."""

    kinds: tuple[Kind, ...]
    address: str = ""
    virtual: tuple[Virtual, ...] = VIRTUAL

    async def answer(self, request: Request) -> None:
        """Answer a discovery path. Raises NoSuchResource."""
        aggregated = _wants_aggregated(request.header(b"accept"))
        parts = request.path.strip("/").split("/")
        if aggregated and len(parts) == 1:
            await request.answer(200, self._aggregated[parts[0] == "apis"], AGGREGATED, [(b"vary", b"Accept")])
            return
        await request.answer_json(200, self._plain(parts), [(b"vary", b"Accept")])

    def _plain(self, parts: list[str]) -> Document:
        match parts:
            case ["api"]:
                servers = [{"clientCIDR": "0.0.0.0/0", "serverAddress": self.address}]
                return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": servers}
            case ["apis"]:
                return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [self._group(g) for g in self._groups]}
            case ["apis", group] if group in self._groups:
                return {"kind": "APIGroup", "apiVersion": "v1", **self._group(group)}
            case ["api", version] if version in self._versions(""):
                return self._resources("", version)
            case ["apis", group, version] if group in self._groups and version in self._versions(group):
                return self._resources(group, version)
        raise NoSuchResource

    @cached_property
    def _served(self) -> list[tuple[str, str]]:
        of_kinds = [(kind.group, kind.version) for kind in self.kinds]
        return of_kinds + [(each.group, each.version) for each in self.virtual]

    @cached_property
    def _groups(self) -> list[str]:
        """The named groups, as they come."""
        return list(dict.fromkeys(group for group, _ in self._served if group))

    def _versions(self, group: str) -> list[str]:
        return list(dict.fromkeys(version for served, version in self._served if served == group))

    def _group(self, group: str) -> Document:
        versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in self._versions(group)]
        return {"name": group, "versions": versions, "preferredVersion": versions[0]}

    def _in(self, group: str, version: str) -> tuple[list[Kind], list[Virtual]]:
        def here(each: Kind | Virtual) -> bool:
            return (each.group, each.version) == (group, version)

        kinds, virtual = [each for each in self.kinds if here(each)], [each for each in self.virtual if here(each)]
        return sorted(kinds, key=lambda kind: kind.plural), virtual

    def _resources(self, group: str, version: str) -> Document:
        kinds, virtual = self._in(group, version)
        resources = [entry for kind in kinds for entry in _plain_entries(kind)]
        resources += [_plain_virtual(each) for each in virtual]
        resources.sort(key=lambda entry: str(entry["name"]))
        full = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": full, "resources": resources}

    @cached_property
    def _aggregated(self) -> tuple[bytes, bytes]:
        """The documents of /api and /apis."""
        return self._list([""]), self._list(self._groups)

    def _list(self, groups: Iterable[str]) -> bytes:
        items = [
            {
                "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
                "versions": [self._version(group, version) for version in self._versions(group)],
            }
            for group in groups
        ]
        head = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
        return orjson.dumps({**head, "items": items})

    def _version(self, group: str, version: str) -> Document:
        kinds, virtual = self._in(group, version)
        resources = [*(_entry(kind) for kind in kinds), *(_virtual_entry(each) for each in virtual)]
        return {"version": version, "resources": resources, "freshness": "Current"}


def _wants_aggregated(accept: str) -> bool:
    for clause in accept.split(","):
        if "as=APIGroupDiscoveryList" in clause:
            return "g=apidiscovery.k8s.io" in clause and "v=v2" in clause.split(";") and "json" in clause
    return False


def _singular(kind: Kind) -> str:
    return kind.singular or kind.kind.lower()


def _plain_entries(kind: Kind) -> Iterable[Document]:
    yield {
        "name": kind.plural,
        "singularName": _singular(kind),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
        **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
        **({"categories": list(kind.categories)} if kind.categories else {}),
    }
    for name, sub in subresources_of(kind).items():
        entry: Document = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
        if sub.kind:
            entry |= {"group": sub.group, "version": sub.version} if sub.group else {}
        yield entry | {"kind": sub.kind or kind.kind, "verbs": sub.verbs}


def _plain_virtual(each: Virtual) -> Document:
    entry: Document = {"name": each.plural, "singularName": each.kind.lower(), "namespaced": each.namespaced}
    return entry | {"kind": each.kind, "verbs": ["create"]}


def _kind_of(group: str, version: str, kind: str) -> Document:
    return {"group": group, "version": version, "kind": kind}


def _entry(kind: Kind) -> Document:
    entry: Document = {
        "resource": kind.plural,
        "responseKind": _kind_of(kind.group, kind.version, kind.kind),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": _singular(kind),
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if below := subresources_of(kind):
        entry["subresources"] = [_below(kind, name, sub) for name, sub in below.items()]
    return entry


def _below(kind: Kind, name: str, sub: Subresource) -> Document:
    answered = _kind_of(sub.group, sub.version, sub.kind) if sub.kind else _kind_of(kind.group, kind.version, kind.kind)
    return {"subresource": name, "responseKind": answered, "verbs": sub.verbs}


def _virtual_entry(each: Virtual) -> Document:
    return {
        "resource": each.plural,
        "responseKind": _kind_of(each.group, each.version, each.kind),
        "scope": "Namespaced" if each.namespaced else "Cluster",
        "singularResource": each.kind.lower(),
        "verbs": ["create"],
    }
