"""One informer a kind in the process, and what its objects are looked up by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from api.types import apps_v1, core_v1, discovery_v1
from client.informer import Informer
from client.resources import KubeObject
from client.rest import Client
from controllers import objects, pods

T = TypeVar("T", bound=KubeObject)
Indexer = Callable[[Any], Iterable[str]]

OWNER, NAMESPACE, NODE, SERVICE, LABEL, SELECTED = "owner", "namespace", "node", "service", "label", "selected"

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


def orphans_of(namespace: str) -> str:
    """The value of the index OWNER for objects without a controller."""
    return f"/{namespace}"


def _by_owner(obj: objects.Object) -> Iterable[str]:
    return (objects.controller_uid(obj) or orphans_of(objects.namespace(obj)),)


def _by_namespace(obj: objects.Object) -> Iterable[str]:
    return (objects.namespace(obj),)


def _by_node(pod: core_v1.Pod) -> Iterable[str]:
    return (pods.node_name(pod),)


def _by_service(item: discovery_v1.EndpointSlice) -> Iterable[str]:
    service = objects.labels(item).get(SERVICE_NAME_LABEL)
    return (f"{objects.namespace(item)}/{service}",) if service else ()


def label_values(obj: objects.Object) -> list[str]:
    """The values of the index LABEL: one a label, `namespace/name=value`."""
    namespace = objects.namespace(obj)
    return [f"{namespace}/{name}={value}" for name, value in objects.labels(obj).items()]


def _by_selected(service: core_v1.Service) -> Iterable[str]:
    """One label that every pod of the Service has: a pod's Services are found by its labels."""
    selector = (service.spec.selector if service.spec else None) or {}
    return [f"{objects.namespace(service)}/{name}={value}" for name, value in sorted(selector.items())[:1]]


_INDEXERS: Mapping[type[Any], Mapping[str, Indexer]] = {
    core_v1.Pod: {OWNER: _by_owner, NAMESPACE: _by_namespace, NODE: _by_node, LABEL: label_values},
    apps_v1.ReplicaSet: {OWNER: _by_owner, NAMESPACE: _by_namespace},
    core_v1.Service: {SELECTED: _by_selected},
    discovery_v1.EndpointSlice: {SERVICE: _by_service},
}
"""What the controllers look objects up by; other kinds by namespace only."""


class Informers:
    """One informer a kind, made when first asked for, run together."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._made: dict[type[Any], Informer[Any]] = {}
        self._tasks: dict[type[Any], asyncio.Task[Any]] = {}
        self._optional: set[type[Any]] = set()
        self._group: asyncio.TaskGroup | None = None

    def of(self, cls: type[T], optional: bool = False) -> Informer[T]:
        """The informer of a kind. An `optional` one's trouble is nobody's else: its kind may be served no more."""
        if optional and cls not in self._made:
            self._optional.add(cls)
        made = self._made.get(cls)
        if made is None:
            made = self._made[cls] = Informer(
                self._client, cls, indexers=_INDEXERS.get(cls, {NAMESPACE: _by_namespace})
            )
            self._start(cls, made)
        return made

    def drop(self, cls: type[Any]) -> None:
        """Read a kind no more that nobody else asked for."""
        if cls in self._optional:
            self._optional.discard(cls)
            self._made.pop(cls, None)
            if (task := self._tasks.pop(cls, None)) is not None:
                task.cancel()

    async def run(self) -> None:
        """Until cancelled. What is asked for later runs from then on."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for cls, informer in self._made.items():
                self._start(cls, informer)
            await asyncio.Event().wait()

    def _start(self, cls: type[Any], informer: Informer[Any]) -> None:
        if self._group is not None:
            self._tasks[cls] = self._group.create_task(informer.run(), name=f"informer-{informer.name}")

    async def synced(self) -> None:
        for cls, informer in list(self._made.items()):
            if cls not in self._optional:
                await informer.synced()

    def trouble(self) -> str | None:
        needed = (informer for cls, informer in self._made.items() if cls not in self._optional)
        return next((why for informer in needed if (why := informer.trouble())), None)
