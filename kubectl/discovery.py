"""The kinds that a server serves, by whatever name a user gives them: plural, singular, kind, short name, category.

Learned from the server's aggregated discovery (the plain documents where that is not served), and kept on disk for a
short while, so that most commands start without asking. A name that the kept list does not know is looked up anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from kubectl.errors import CliError
from kubectl.server import Server

LIFETIME = 600.0
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class Resource(NamedTuple):
    group: str
    version: str
    plural: str
    kind: str
    singular: str
    namespaced: bool
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def prefix(self) -> str:
        """`deployment.apps`, `pod`: what stands before the slash in messages."""
        return f"{self.kind.lower()}.{self.group}" if self.group else self.kind.lower()


class Catalog:
    """The resources of one server."""

    def __init__(self, server: Server, cache: Path | None) -> None:
        self._server = server
        self._cache = cache
        self._resources: list[Resource] | None = None
        self._fresh = False

    @property
    def resources(self) -> list[Resource]:
        if self._resources is None:
            self._resources = self._read() or self._fetch()
        return self._resources

    def refresh(self) -> list[Resource]:
        self._resources = self._fetch()
        return self._resources

    def find(self, name: str) -> Resource:
        """The resource that a user calls `name`: `po`, `pods`, `Pod`, `deployments.apps`, `deployments.v1.apps`."""
        found = match(self.resources, name)
        if found is None and not self._fresh:
            found = match(self.refresh(), name)
        if found is None:
            raise CliError(f'the server doesn\'t have a resource type "{name}"')
        return found

    def expand(self, name: str) -> list[Resource]:
        """The resources of a category such as `all`, or the one of that name."""
        members = [r for r in self.resources if name in r.categories and "list" in r.verbs]
        return members or [self.find(name)]

    def of(self, api_version: str, kind: str) -> Resource | None:
        """The resource that an object belongs to."""
        found = self._of(self.resources, api_version, kind)
        if found is None and not self._fresh:
            found = self._of(self.refresh(), api_version, kind)
        return found

    def _of(self, resources: Iterable[Resource], api_version: str, kind: str) -> Resource | None:
        return next((r for r in resources if r.kind == kind and r.api_version == api_version), None)

    def _read(self) -> list[Resource] | None:
        if self._cache is None:
            return None
        try:
            if time.time() - self._cache.stat().st_mtime > LIFETIME:
                return None
            kept = json.loads(self._cache.read_bytes())
            return [Resource(*row[:6], *map(tuple, row[6:])) for row in kept]
        except (OSError, ValueError, TypeError):
            return None

    def _fetch(self) -> list[Resource]:
        found = fetch(self._server)
        self._fresh = True
        if self._cache is not None:
            _keep(self._cache, json.dumps(found))
        return found


def cache_file(server: str) -> Path:
    """Where the kinds of the server at this address are kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pytheas" / f"kinds-{hashlib.sha256(server.encode()).hexdigest()[:16]}.json"


def _keep(path: Path, text: str) -> None:
    """Replace the file in one step; a cache that cannot be written is only slower, not wrong."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        return


def match(resources: Iterable[Resource], name: str) -> Resource | None:
    """The first resource of that name; preferred versions come first in discovery, the core group before all."""
    wanted, _, rest = name.partition(".")
    wanted = wanted.lower()
    candidates = [r for r in resources if wanted in (r.plural, r.singular, r.kind.lower()) or wanted in r.short_names]
    if not rest:
        return candidates[0] if candidates else None
    for resource in candidates:
        if rest in (resource.group, f"{resource.version}.{resource.group}", resource.version):
            return resource
    return next((r for r in candidates if r.group.startswith(rest + ".")), None)


def fetch(server: Server) -> list[Resource]:
    found: list[Resource] = []
    for root in ("/api", "/apis"):
        document = server.call("GET", root, accept=AGGREGATED)
        if document.get("kind") == "APIGroupDiscoveryList":
            found.extend(_aggregated(document))
        else:
            found.extend(_plain(server, document))
    return found


def _aggregated(document: dict[str, Any]) -> Iterable[Resource]:
    for item in document.get("items") or ():
        group = item.get("metadata", {}).get("name", "")
        for version in item.get("versions") or ():
            for entry in version.get("resources") or ():
                kind = (entry.get("responseKind") or {}).get("kind", "")
                yield Resource(
                    group,
                    version["version"],
                    entry["resource"],
                    kind,
                    entry.get("singularResource") or kind.lower(),
                    entry.get("scope") == "Namespaced",
                    tuple(entry.get("verbs") or ()),
                    tuple(entry.get("shortNames") or ()),
                    tuple(entry.get("categories") or ()),
                    tuple(sub["subresource"] for sub in entry.get("subresources") or ()),
                )


def _plain(server: Server, document: dict[str, Any]) -> Iterable[Resource]:
    if "groups" in document:
        versions = [v["groupVersion"] for group in document["groups"] for v in group["versions"]]
        paths = [(f"/apis/{version}", version) for version in versions]
    else:
        paths = [(f"/api/{version}", version) for version in document.get("versions") or ()]
    for path, group_version in paths:
        entries = server.call("GET", path).get("resources") or ()
        group, _, version = group_version.rpartition("/")
        for entry in entries:
            if "/" in entry["name"]:
                continue
            yield Resource(
                group,
                version,
                entry["name"],
                entry["kind"],
                entry.get("singularName") or entry["kind"].lower(),
                bool(entry["namespaced"]),
                tuple(entry.get("verbs") or ()),
                tuple(entry.get("shortNames") or ()),
                tuple(entry.get("categories") or ()),
                tuple(e["name"].split("/", 1)[1] for e in entries if e["name"].startswith(entry["name"] + "/")),
            )
