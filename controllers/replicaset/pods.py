"""Making and deleting a ReplicaSet's pods: the requests, what they leave open, and the Events about them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from api import errors
from api.names import generate
from api.types import apps_v1, core_v1, meta_v1
from client.codec import Unreadable
from client.events import EventRecorder
from client.rest import Client, Unreachable
from controllers import objects
from controllers.expectations import Expectations
from controllers.failures import answer_is_lost, namespace_is_terminating
from controllers.replicaset.decide import batches

_NAME_TRIES = 8


class PodControl:
    def __init__(self, client: Client, events: EventRecorder, expectations: Expectations) -> None:
        self._client, self._events, self._expectations = client, events, expectations

    async def create(self, owner: apps_v1.ReplicaSet, count: int) -> Exception | None:
        """Make `count` pods, in batches that grow while all goes well. Returns the first failure."""
        uid, prefix = objects.uid(owner), f"{objects.name(owner)}-"
        doubtful = self._expectations.doubtful_creations(uid)[:count]
        names = doubtful + [generate(prefix) for _ in range(count - len(doubtful))]
        self._expectations.expect_creations(uid, names, time.monotonic())
        position = 0
        for size in batches(count):
            batch = names[position : position + size]
            position += size
            outcomes = await asyncio.gather(*(self._create_one(owner, name, name in doubtful) for name in batch))
            failure = next((outcome for outcome in outcomes if outcome is not None), None)
            if failure is not None:
                for name in names[position:]:
                    self._not_there(uid, name, certain=name not in doubtful)
                return failure
        return None

    def _not_there(self, uid: str, name: str, certain: bool) -> None:
        """Wait for this pod no longer. One that may have been made before is asked for again next time."""
        if certain:
            self._expectations.created(uid, name)
        else:
            self._expectations.creation_in_doubt(uid, name)

    async def _create_one(self, owner: apps_v1.ReplicaSet, name: str, doubtful: bool) -> Exception | None:
        uid = objects.uid(owner)
        for _ in range(_NAME_TRIES):
            try:
                if await self._make_or_find(owner, name):
                    return None
            except (errors.StatusError, Unreachable, Unreadable) as error:
                return self._not_created(owner, name, error, certain=not (doubtful or answer_is_lost(error)))
            self._expectations.created(uid, name)
            name, doubtful = generate(f"{objects.name(owner)}-"), False
            self._expectations.expect_creations(uid, [name], time.monotonic())
        return self._not_created(owner, name, errors.AlreadyExists("pods", name), certain=True)

    async def _make_or_find(self, owner: apps_v1.ReplicaSet, name: str) -> bool:
        """Whether the pod is there now: made, or found to be the one whose creation seemed lost. False if it is
        another's."""
        try:
            await self._client.create(pod_of(owner, name))
        except errors.AlreadyExists:
            try:
                pod = await self._client.get(core_v1.Pod, name, objects.namespace(owner))
            except errors.NotFound:
                return False
            return objects.controller_uid(pod) == objects.uid(owner)
        self._events.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {name}")
        return True

    def _not_created(self, owner: apps_v1.ReplicaSet, name: str, error: Exception, certain: bool) -> Exception:
        self._not_there(objects.uid(owner), name, certain)
        if not namespace_is_terminating(error):
            self._events.event(owner, "Warning", "FailedCreate", f"Error creating: {error}")
        return error

    async def delete(self, owner: apps_v1.ReplicaSet, pods: Sequence[core_v1.Pod]) -> Exception | None:
        """Delete them all at once. Returns the first failure."""
        self._expectations.expect_deletions(objects.uid(owner), [objects.uid(pod) for pod in pods], time.monotonic())
        outcomes = await asyncio.gather(*(self._delete_one(owner, pod) for pod in pods))
        return next((outcome for outcome in outcomes if outcome is not None), None)

    async def _delete_one(self, owner: apps_v1.ReplicaSet, pod: core_v1.Pod) -> Exception | None:
        uid, name = objects.uid(owner), objects.name(pod)
        try:
            await self._client.delete(core_v1.Pod, name, objects.namespace(pod), uid=objects.uid(pod))
        except (errors.NotFound, errors.Conflict):
            self._expectations.deleted(uid, objects.uid(pod))
            return None
        except (errors.StatusError, Unreachable) as error:
            if answer_is_lost(error):
                self._expectations.deletion_in_doubt(uid, objects.uid(pod))
            else:
                self._expectations.deleted(uid, objects.uid(pod))
            self._events.event(owner, "Warning", "FailedDelete", f"Error deleting: {error}")
            return error
        self._events.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
        return None


def pod_of(owner: apps_v1.ReplicaSet, name: str) -> core_v1.Pod:
    """The pod that the ReplicaSet's template describes. The name is chosen here so that a lost answer can be asked for
    again; `generateName` says how, as for any pod of a controller."""
    template = owner.spec.template if owner.spec else None
    template = template or core_v1.PodTemplateSpec()
    source = template.metadata or meta_v1.ObjectMeta()
    return core_v1.Pod(
        metadata=meta_v1.ObjectMeta(
            name=name,
            generateName=f"{objects.name(owner)}-",
            namespace=objects.namespace(owner),
            labels=source.labels,
            annotations=source.annotations,
            finalizers=source.finalizers,
            ownerReferences=[objects.controller_reference(owner)],
        ),
        spec=template.spec,
    )
