"""What discovery says, as plain data: groups, their versions, and what each version serves.

All of it follows from the kinds, and from what other servers behind APIServices say of theirs. The functions are pure.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.versions import rank
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.subresources.served import subresources_of
from apiserver.endpoints.virtual import Virtual
from apiserver.registry.groups import priority
from apiserver.registry.kind import Kind

Document = dict[str, Any]


@dataclass(frozen=True)
class Elsewhere:
    """A group and version that another server answers for, and its list of resources if it told us."""

    group: str
    version: str
    group_priority: int
    version_priority: int
    document: Document | None


@dataclass
class Version:
    """A group's version: its resources in the old form, and in the new one."""

    group: str
    name: str
    priority: tuple[int, int]
    plain: list[Document] = field(default_factory=list)
    aggregated: list[Document] = field(default_factory=list)
    current: bool = True

    @property
    def full(self) -> str:
        return f"{self.group}/{self.name}" if self.group else self.name

    def resources(self) -> Document:
        """An APIResourceList."""
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": self.full, "resources": self.plain}

    def discovery(self) -> Document:
        """An APIVersionDiscovery."""
        freshness = "Current" if self.current else "Stale"
        return {"version": self.name, "resources": self.aggregated, "freshness": freshness}


def versions(kinds: Iterable[Kind], virtual: Iterable[Virtual], elsewhere: Iterable[Elsewhere]) -> list[Version]:
    """All versions, in the order in which clients are to try them."""
    found: dict[tuple[str, str], Version] = {}
    kinds = tuple(kinds)
    kept = {kind.family: kind for kind in kinds if kind.kept}
    for kind in sorted(kinds, key=lambda kind: kind.plural):
        version = _version(found, kind.group, kind.version)
        version.plain.extend(_plain(kind, kept.get(kind.family, kind)))
        version.aggregated.append(_aggregated(kind))
    for each in virtual:
        version = _version(found, each.group, each.version)
        version.plain.append(_plain_virtual(each))
        version.aggregated.append(_aggregated_virtual(each))
    for version in found.values():
        version.plain.sort(key=lambda entry: str(entry["name"]))
    for other in elsewhere:
        found[other.group, other.version] = _elsewhere(other)
    return _in_order(found.values())


def _in_order(found: Iterable[Version]) -> list[Version]:
    """By the groups' priority, then the versions'; of equals, stable and newer ones first."""
    ranked = sorted(found, key=lambda version: rank(version.name), reverse=True)
    highest: dict[str, int] = {}
    for version in ranked:
        highest[version.group] = max(version.priority[0], highest.get(version.group, 0))
    return sorted(ranked, key=lambda version: (-highest[version.group], version.group, -version.priority[1]))


def _version(found: dict[tuple[str, str], Version], group: str, name: str) -> Version:
    if (group, name) not in found:
        found[group, name] = Version(group, name, priority(group, name))
    return found[group, name]


def group_of(versions: Sequence[Version]) -> Document:
    """An APIGroup, without its own type. `versions` are those of one group."""
    named = [{"groupVersion": version.full, "version": version.name} for version in versions]
    return {"name": versions[0].group, "versions": named, "preferredVersion": named[0]}


def group_discovery(versions: Sequence[Version]) -> Document:
    """An APIGroupDiscovery."""
    group = versions[0].group
    return {"metadata": {"name": group} if group else {}, "versions": [version.discovery() for version in versions]}


def storage_hash(kind: Kind) -> str:
    """Names the version in which objects are kept, without telling it."""
    name = f"{kind.group}/{kind.version}/{kind.kind}"
    return base64.b64encode(hashlib.sha256(name.encode()).digest()[:8]).decode()


def _singular(kind: Kind) -> str:
    return kind.singular or kind.kind.lower()


def _plain(kind: Kind, kept: Kind) -> Iterator[Document]:
    yield {
        "name": kind.plural,
        "singularName": _singular(kind),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
        **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
        **({"categories": list(kind.categories)} if kind.categories else {}),
        **({"storageVersionHash": storage_hash(kept)} if kind.live is None else {}),
    }
    for name, sub in subresources_of(kind).items():
        entry: Document = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
        if sub.kind:
            entry |= {"group": sub.group, "version": sub.version} if sub.group else {}
        yield entry | {"kind": sub.kind or kind.kind, "verbs": sub.verbs}


def _plain_virtual(each: Virtual) -> Document:
    entry: Document = {"name": each.plural, "singularName": each.kind.lower(), "namespaced": each.namespaced}
    return entry | {"kind": each.kind, "verbs": list(each.verbs)}


def _type(group: str, version: str, kind: str) -> Document:
    return {"group": group, "version": version, "kind": kind}


def _aggregated(kind: Kind) -> Document:
    entry: Document = {
        "resource": kind.plural,
        "responseKind": _type(kind.group, kind.version, kind.kind),
        "scope": _scope(namespaced=kind.namespaced),
        "singularResource": _singular(kind),
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if below := subresources_of(kind):
        entry["subresources"] = [_below(kind, name, sub) for name, sub in sorted(below.items())]
    return entry


def _scope(*, namespaced: bool) -> str:
    return "Namespaced" if namespaced else "Cluster"


def _below(kind: Kind, name: str, sub: Subresource) -> Document:
    answered = _type(sub.group, sub.version, sub.kind) if sub.kind else _type(kind.group, kind.version, kind.kind)
    return {"subresource": name, "responseKind": answered, "verbs": sub.verbs}


def _aggregated_virtual(each: Virtual) -> Document:
    return {
        "resource": each.plural,
        "responseKind": _type(each.group, each.version, each.kind),
        "scope": _scope(namespaced=each.namespaced),
        "singularResource": each.kind.lower(),
        "verbs": list(each.verbs),
    }


def _elsewhere(other: Elsewhere) -> Version:
    """Another server's resources: it told them the old way."""
    plain = list((other.document or {}).get("resources") or ())
    version = Version(
        other.group,
        other.version,
        (other.group_priority, other.version_priority),
        plain=plain,
        current=other.document is not None,
    )
    below: dict[str, list[Document]] = {}
    for entry in plain:
        name, _, subresource = str(entry.get("name") or "").partition("/")
        if subresource:
            told = {"subresource": subresource, "responseKind": _told(other, entry), "verbs": entry.get("verbs") or []}
            below.setdefault(name, []).append(told)
    for entry in plain:
        name = str(entry.get("name") or "")
        if "/" not in name:
            more = {"subresources": below[name]} if name in below else {}
            version.aggregated.append({**_aggregated_told(other, entry), **more})
    return version


def _told(other: Elsewhere, entry: Document) -> Document:
    kind = str(entry.get("kind") or "")
    return _type(entry.get("group") or other.group, entry.get("version") or other.version, kind)


def _aggregated_told(other: Elsewhere, entry: Document) -> Document:
    told: Document = {
        "resource": entry["name"],
        "responseKind": _told(other, entry),
        "scope": _scope(namespaced=bool(entry.get("namespaced"))),
        "singularResource": entry.get("singularName") or "",
        "verbs": entry.get("verbs") or [],
    }
    return told | {key: entry[key] for key in ("shortNames", "categories") if entry.get(key)}
