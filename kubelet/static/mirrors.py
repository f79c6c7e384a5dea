"""Keeps a mirror in the API server for each static pod, and takes away those that show nothing any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Set

import msgspec

from api import errors
from api.types import core_v1, meta_v1
from client.backoff import Backoff
from client.rest import Client, Unreachable
from daemon.log import logger
from kubelet.static import plan
from kubelet.static.annotations import HASH, MIRROR, Key, annotation, key_of, uid_of

log = logger(__name__)


class Mirrors:
    """`seen` and `lost` tell it of the mirrors there are; `wake` it when the static pods change."""

    def __init__(self, client: Client, node: str, node_uid: Callable[[], str]) -> None:
        self._client, self._node, self._node_uid = client, node, node_uid
        self._there: dict[Key, core_v1.Pod] = {}
        self._wanted: Mapping[Key, core_v1.Pod] = {}
        self._ending: Set[str] = frozenset()
        self._woken = asyncio.Event()

    @property
    def wanted(self) -> int:
        """How many there should be."""
        return len(self._wanted)

    def seen(self, mirror: core_v1.Pod) -> None:
        self._there[key_of(mirror)] = mirror
        self._woken.set()

    def lost(self, mirror: core_v1.Pod) -> None:
        if uid_of(self._there.get(key_of(mirror), mirror)) == uid_of(mirror):
            self._there.pop(key_of(mirror), None)
        self._woken.set()

    def wake(self, wanted: Mapping[Key, core_v1.Pod], ending: Set[str]) -> None:
        """The static pods that should have a mirror, and the uids of those that are ending."""
        self._wanted, self._ending = wanted, ending
        self._woken.set()

    def of(self, pod: core_v1.Pod) -> core_v1.Pod | None:
        """The mirror that shows this very static pod."""
        mirror = self._there.get(key_of(pod))
        return mirror if mirror is not None and annotation(mirror, MIRROR) == uid_of(pod) else None

    async def run(self) -> None:
        """For ever. Begin once all mirrors that there are have been seen."""
        backoff = Backoff(0.2, 20.0)
        while True:
            self._woken.clear()
            if await self._round():
                backoff.reset()
                await self._woken.wait()
            else:
                await asyncio.sleep(backoff.next())

    async def _round(self) -> bool:
        """One step for each name; False if something is to be tried again."""
        if not self._node_uid():
            return False  # their owner is not known yet
        done = True
        for key in {*self._wanted, *self._there}:
            pod, mirror = self._wanted.get(key), self._there.get(key)
            state = plan.Mirror(annotation(mirror, MIRROR), _deleting(mirror)) if mirror else None
            step = plan.mirror(uid_of(pod) if pod else "", state, self._ending)
            try:
                if step == "create" and pod is not None:
                    await self._create(pod)
                elif step == "delete" and mirror is not None:
                    await self._delete(mirror)
            except (errors.StatusError, Unreachable) as error:
                log.warning("a mirror pod could not be kept", pod="/".join(key), step=step, error=str(error))
                done = False
        return done

    async def _create(self, pod: core_v1.Pod) -> None:
        self.seen(await self._client.create(mirror_of(pod, self._node, self._node_uid())))

    async def _delete(self, mirror: core_v1.Pod) -> None:
        namespace, name = key_of(mirror)
        try:
            await self._client.delete(core_v1.Pod, name, namespace, grace_period=0, uid=uid_of(mirror))
        except (errors.NotFound, errors.Conflict):
            log.debug("the mirror pod was gone already", pod=f"{namespace}/{name}")
        self.lost(mirror)


def mirror_of(pod: core_v1.Pod, node: str, node_uid: str) -> core_v1.Pod:
    """The pod to create for a static one: it goes with its node."""
    assert pod.metadata is not None
    owner = meta_v1.OwnerReference(apiVersion="v1", kind="Node", name=node, uid=node_uid, controller=True)
    metadata = msgspec.structs.replace(
        pod.metadata,
        uid=None,
        annotations={**(pod.metadata.annotations or {}), MIRROR: annotation(pod, HASH)},
        ownerReferences=[owner],
    )
    return core_v1.Pod(metadata=metadata, spec=pod.spec)


def _deleting(pod: core_v1.Pod) -> bool:
    return pod.metadata is not None and pod.metadata.deletionTimestamp is not None
