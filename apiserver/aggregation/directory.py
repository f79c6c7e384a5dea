"""Who answers for a group and version: read from the APIServices once for each change of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apiserver.registry.apiservice import condition

if TYPE_CHECKING:
    from apiserver.endpoints.catalog import Resource
    from apiserver.registry.kind import Object

GROUP, PLURAL = "apiregistration.k8s.io", "apiservices"


@dataclass(frozen=True, slots=True)
class Remote:
    """A group and version that another server answers for. `name` is its APIService's."""

    name: str
    group: str
    version: str
    namespace: str
    service: str
    port: int
    bundle: str
    insecure: bool
    available: bool
    group_priority: int
    version_priority: int

    @classmethod
    def of(cls, obj: Object) -> Remote | None:
        """None for an APIService that stands for this server itself."""
        spec = obj["spec"]
        service = spec.get("service")
        if not service:
            return None
        return cls(
            name=obj["metadata"]["name"],
            group=spec.get("group") or "",
            version=spec["version"],
            namespace=service["namespace"],
            service=service["name"],
            port=service.get("port") or 443,
            bundle=spec.get("caBundle") or "",
            insecure=bool(spec.get("insecureSkipTLSVerify")),
            available=condition(obj).get("status") == "True",
            group_priority=spec.get("groupPriorityMinimum") or 0,
            version_priority=spec.get("versionPriority") or 0,
        )

    @property
    def host(self) -> str:
        """The name that its certificate must have."""
        return f"{self.service}.{self.namespace}.svc"

    @property
    def path(self) -> str:
        return f"/apis/{self.group}/{self.version}"


class Directory:
    """The remote APIServices, by group and version."""

    def __init__(self, resource: Resource) -> None:
        self._cache = resource.cache
        self._revision = -1
        self._remotes: dict[tuple[str, str], Remote] = {}
        self.generation = 0
        """Grows when what is served elsewhere changes."""

    def find(self, group: str, version: str) -> Remote | None:
        if self._revision != self._cache.revision:
            self._refresh()
        return self._remotes.get((group, version))

    def __iter__(self) -> Iterator[Remote]:
        if self._revision != self._cache.revision:
            self._refresh()
        return iter(self._remotes.values())

    def _refresh(self) -> None:
        found = (Remote.of(entry.decode()) for entry in self._cache.select("", None))
        remotes = {(remote.group, remote.version): remote for remote in found if remote is not None}
        if remotes != self._remotes:
            self._remotes = remotes
            self.generation += 1
        self._revision = self._cache.revision
