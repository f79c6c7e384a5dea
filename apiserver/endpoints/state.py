"""What every request shares: the served resources with their caches, the store, the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from api import metadata
from apiserver.auth.serviceaccounts import Issuer
from apiserver.auth.user import User
from apiserver.registry.kind import Context, Kind
from apiserver.storage.cache import Cache
from apiserver.storage.encoding import Encoding
from apiserver.storage.etcd import Etcd
from apiserver.storage.feed import Feed
from apiserver.storage.keys import resource_prefix
from apiserver.storage.store import Store
from apiserver.streaming.kubelet import KubeletClient


class Resource:
    """A served kind and where its objects are."""

    __slots__ = ("cache", "encoding", "kind", "prefix")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.encoding = Encoding(kind.api_version, kind.kind)
        self.cache = Cache(self.encoding, kind.strategy.fields)
        self.prefix = resource_prefix(kind.group, kind.plural)

    def key(self, namespace: str, name: str) -> str:
        """An object's key in the cache."""
        return f"{namespace}/{name}" if self.kind.namespaced else name

    def storage_key(self, namespace: str, name: str) -> bytes:
        """An object's key in etcd."""
        return self.prefix + self.key(namespace, name).encode()


class ReservedNames:
    """The names reserved under a prefix, as the cache knows them, and whether anybody has asked."""

    __slots__ = ("_feed", "asked")

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.asked = False

    def __call__(self, prefix: str) -> Collection[str]:
        self.asked = True
        return self._feed.reserved(prefix)


class State:
    """The server's parts."""

    def __init__(
        self,
        etcd: Etcd,
        kinds: Sequence[Kind],
        settings: Mapping[str, Any],
        kubelets: KubeletClient,
        issuer: Issuer | None = None,
    ) -> None:
        self.etcd = etcd
        self.kubelets = kubelets
        self.issuer = issuer
        self.settings = settings
        self.store = Store(etcd)
        self.resources = {(kind.group, kind.version, kind.plural): Resource(kind) for kind in kinds}
        self.feed = Feed(etcd, {resource.prefix: resource.cache for resource in self.resources.values()})
        self.stopping = asyncio.Event()
        """Set when the server goes down: long answers end themselves."""

    def resource(self, plural: str, group: str = "", version: str = "v1") -> Resource:
        """A resource that is known to be served."""
        return self.resources[group, version, plural]

    def uid_of(self, plural: str, namespace: str, name: str) -> str | None:
        """The uid of an object of the core group, as far as the cache knows."""
        resource = self.resource(plural)
        entry = resource.cache.entries.get(resource.key(namespace, name))
        return str(entry.decode()["metadata"]["uid"]) if entry is not None else None

    def context(
        self, user: User, namespace: str = "", dry_run: bool = False, reserved: ReservedNames | None = None
    ) -> Context:
        return Context(
            now=metadata.now(),
            namespace=namespace,
            user=user.name,
            groups=user.groups,
            dry_run=dry_run,
            settings=self.settings,
            reserved=reserved or ReservedNames(self.feed),
        )

    def stop(self) -> None:
        self.stopping.set()
        for resource in self.resources.values():
            resource.cache.wake()
