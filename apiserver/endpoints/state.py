"""What every request shares: the catalog of resources, the store, the feed that fills the caches, the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from api import metadata
from apiserver.auth.serviceaccounts import Issuer
from apiserver.auth.user import User
from apiserver.endpoints.catalog import Catalog, Resource, versions
from apiserver.metrics.collector import Collector
from apiserver.quota.ledger import Quotas
from apiserver.registry.kind import Context, Kind
from apiserver.remote.webhook import Webhooks
from apiserver.storage.etcd import Etcd
from apiserver.storage.feed import Feed
from apiserver.storage.store import Store
from apiserver.streaming.kubelet import KubeletClient

__all__ = ["ReservedNames", "Resource", "State"]


CatchUp = Callable[[str, str], Awaitable[None]]


async def _no_news(group: str, plural: str) -> None:
    """Nothing comes that is not there."""


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
        self.catalog = Catalog(kinds)
        self.feed = Feed(etcd, {resource.prefix: resource.cache for resource in self.catalog.homes})
        self.webhooks = Webhooks(self)
        self.quotas = Quotas(self)
        self.metrics = Collector(self)
        self.catch_up: CatchUp = _no_news
        """Waits for a custom resource that is about to be served here, given its group and plural."""
        self.stopping = asyncio.Event()
        """Set when the server goes down: long answers end themselves."""

    def resource(self, plural: str, group: str = "", version: str = "v1") -> Resource:
        """A resource that is known to be served."""
        found = self.catalog.find(group, version, plural)
        if found is None:
            raise KeyError(f"{plural}.{version}.{group}")
        return found

    async def serve(self, kinds: Sequence[Kind]) -> None:
        """Serve a custom resource in these versions, in place of those it had. Its watchers have to watch anew.

        Raises EtcdError.
        """
        resources = versions(kinds)
        await self.feed.join(resources[0].prefix, resources[0].cache)
        self.catalog.put(resources)

    def unserve(self, group: str, plural: str) -> None:
        """Serve a custom resource no more."""
        for home in self.catalog.family(group, plural)[:1]:
            self.feed.leave(home.prefix)
        self.catalog.remove(group, plural)

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
            uid=user.uid,
            extra=user.extra,
            dry_run=dry_run,
            settings=self.settings,
            reserved=reserved or ReservedNames(self.feed),
            kinds=lambda: self.catalog.kinds,
        )

    def stop(self) -> None:
        self.stopping.set()
        for resource in self.catalog.homes:
            resource.cache.wake()
