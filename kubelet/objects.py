"""The ConfigMaps and Secrets that this node's pods use, followed one by one: a node needn't hold (nor may see) any
other.

An object is followed by a watch of its own from the first pod that uses it until the last is gone. One that doesn't
exist yet is followed too, so the pod that waits for it hears of it at once. An immutable one is read once and kept: it
needs no watch.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from api.types import core_v1
from client.informer import Informer
from client.rest import Client
from kubelet.pod.env import Objects, references

SYNC_DEADLINE = 20.0

Key = tuple[str, str, str]
"""Kind (`configmap`, `secret`), namespace, name."""


@dataclass
class _Followed:
    informer: Informer[core_v1.ConfigMap] | Informer[core_v1.Secret]
    task: asyncio.Task[None]
    users: set[str] = field(default_factory=set)
    is_late: bool = False
    """Somebody has given up waiting for it, and must be told when it comes."""


class PodObjects:
    """`changed(uids)` is called with the pods that use an object when it changes."""

    def __init__(self, client: Client, changed: Callable[[Iterable[str]], None]) -> None:
        self._client = client
        self._changed = changed
        self._followed: dict[Key, _Followed] = {}

    async def fetch(self, pod: core_v1.Pod) -> Objects:
        """What the pod uses, as it is now. Raises OSError when the API server doesn't answer in time."""
        metadata = pod.metadata
        assert metadata is not None
        configmaps, secrets = references(pod)
        namespace, uid = metadata.namespace or "", metadata.uid or ""
        keys = [("configmap", namespace, each) for each in configmaps]
        keys += [("secret", namespace, each) for each in secrets]
        for key in keys:
            self._follow(key, uid)
        try:
            async with asyncio.timeout(SYNC_DEADLINE):
                for key in keys:
                    await self._followed[key].informer.synced()
        except TimeoutError:
            for key in keys:
                self._followed[key].is_late = True
            raise OSError("timed out waiting for the pod's objects: failed to sync") from None
        found = {key: self._content(key) for key in keys}
        return Objects(_of_kind("configmap", found), _of_kind("secret", found), self._binary(keys))

    def release(self, uid: str) -> None:
        """The pod is gone; what only it used is no longer followed."""
        for key, followed in list(self._followed.items()):
            followed.users.discard(uid)
            if not followed.users:
                followed.task.cancel()
                del self._followed[key]

    async def close(self) -> None:
        tasks = [each.task for each in self._followed.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _follow(self, key: Key, uid: str) -> None:
        followed = self._followed.get(key)
        if followed is None:
            kind, namespace, name = key
            fields = f"metadata.name={name}"
            informer: Informer[core_v1.ConfigMap] | Informer[core_v1.Secret]
            if kind == "configmap":
                informer = Informer(self._client, core_v1.ConfigMap, namespace=namespace, fields=fields)
            else:
                informer = Informer(self._client, core_v1.Secret, namespace=namespace, fields=fields)
            followed = self._followed[key] = _Followed(informer, asyncio.create_task(informer.run()))
            informer.on_change(lambda _, old, new: self._tell(followed, new))
        followed.users.add(uid)

    def _tell(self, followed: _Followed, new: core_v1.ConfigMap | core_v1.Secret | None) -> None:
        if new is not None and new.immutable:
            followed.task.cancel()
        # Those who wait for the first list see it without being told.
        if followed.informer.has_synced or followed.is_late:
            self._changed(list(followed.users))

    def _binary(self, keys: Iterable[Key]) -> dict[str, frozenset[str]]:
        """The keys of ConfigMaps that hold no text."""
        found = {key[2]: self._followed[key].informer.get("/".join(key[1:])) for key in keys if key[0] == "configmap"}
        maps = {name: each for name, each in found.items() if isinstance(each, core_v1.ConfigMap)}
        return {name: frozenset(each.binaryData) for name, each in maps.items() if each.binaryData}

    def _content(self, key: Key) -> Mapping[str, bytes] | None:
        _, namespace, name = key
        obj = self._followed[key].informer.get(f"{namespace}/{name}")
        if obj is None:
            return None
        if isinstance(obj, core_v1.ConfigMap):
            plain = {name: value.encode() for name, value in (obj.data or {}).items()}
            return plain | {name: base64.b64decode(value) for name, value in (obj.binaryData or {}).items()}
        return {name: base64.b64decode(value) for name, value in (obj.data or {}).items()}


def _of_kind(kind: str, found: Mapping[Key, Mapping[str, bytes] | None]) -> dict[str, Mapping[str, bytes]]:
    return {key[2]: content for key, content in found.items() if key[0] == kind and content is not None}
