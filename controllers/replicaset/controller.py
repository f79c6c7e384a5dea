"""The shell around a ReplicaSet's decisions: claims its pods, makes or deletes some, writes the status."""

from __future__ import annotations

import time
from collections.abc import Iterable

import msgspec

from api import errors
from api.selectors import LabelSelector, SelectorError
from api.types import apps_v1, core_v1
from controllers import objects
from controllers.claim import adopt, claim, release, still_wanted
from controllers.controller import Controller
from controllers.expectations import Expectations
from controllers.failures import namespace_is_terminating
from controllers.informers import NAMESPACE, OWNER, orphans_of
from controllers.latest import Latest
from controllers.replicaset.decide import Create, Delete, decide
from controllers.replicaset.pods import PodControl
from controllers.replicaset.status import next_available, status
from controllers.shared import Shared
from daemon.log import logger

log = logger(__name__)

ReplicaSet = apps_v1.ReplicaSet
Pod = core_v1.Pod


class ReplicaSetController(Controller):
    name = "replicaset"
    component = "replicaset-controller"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._expectations = Expectations()
        self._latest: Latest[ReplicaSet] = Latest()
        self._control = PodControl(self.client, self.events, self._expectations)
        self._sets = self.read(ReplicaSet)
        self._pods = self.read(Pod)
        self._sets.on_change(self._set_changed)
        self._pods.on_change(self._pod_changed)

    # -- what wakes it

    def _set_changed(self, key: str, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        if old is not None and (new is None or objects.uid(new) != objects.uid(old)):
            self._expectations.forget(objects.uid(old))
            self._latest.forget(old)
        self.queue.add(key)

    def _pod_changed(self, key: str, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        if pod is None:
            return
        owner = objects.controller(pod)
        if owner is not None:
            self._settle(owner.uid, pod, gone=new is None)
            if owner.kind == "ReplicaSet":
                self.queue.add(f"{objects.namespace(pod)}/{owner.name}")
        elif new is not None and (old is None or objects.labels(old) != objects.labels(new)):
            self._wake_selecting(new)
        before = objects.controller(old) if old is not None else None
        if before is not None and before.kind == "ReplicaSet" and (owner is None or owner.uid != before.uid):
            self.queue.add(f"{objects.namespace(pod)}/{before.name}")
            if new is not None and owner is None:
                self._wake_selecting(new)

    def _settle(self, owner_uid: str, pod: Pod, gone: bool) -> None:
        self._expectations.created(owner_uid, objects.name(pod))
        if gone or objects.deleting(pod):
            self._expectations.deleted(owner_uid, objects.uid(pod))

    def _wake_selecting(self, pod: Pod) -> None:
        """An orphan may belong to any ReplicaSet of its namespace that selects it."""
        for item in self._sets.by_index(NAMESPACE, objects.namespace(pod)):
            if LabelSelector.of(item.spec.selector if item.spec else None).matches(objects.labels(pod)):
                self.queue.add(f"{objects.namespace(item)}/{objects.name(item)}")

    # -- what it does

    async def reconcile(self, key: str) -> float | None:
        cached = self._sets.get(key)
        if cached is None:
            return None
        current = self._latest.newest(cached)
        owned = await self._claimed(current)
        if owned is None:
            return None
        waiting = self._expectations.wait(objects.uid(current), time.monotonic())
        failure = None
        if not waiting and not objects.deleting(current):
            failure = await self._act(current, owned)
        quiet = failure is not None and namespace_is_terminating(failure)
        told = None if failure is None or quiet else str(failure)
        await self._write_status(current, owned, told, complete=not waiting)
        if failure is not None and not quiet:
            raise failure
        times = [waiting, next_available(current, owned, self.clock())]
        return min((each for each in times if each), default=None)

    async def _act(self, current: ReplicaSet, owned: list[Pod]) -> Exception | None:
        action = decide(
            current,
            owned,
            self._related(current),
            self.clock(),
            self._expectations.doubtful_deletions(objects.uid(current)),
        )
        match action:
            case Create(count):
                return await self._control.create(current, count)
            case Delete(surplus):
                return await self._control.delete(current, surplus)
        return None

    def _related(self, current: ReplicaSet) -> Iterable[Pod]:
        """The pods of all ReplicaSets that the same Deployment controls, this one's included."""
        owner = objects.controller_uid(current)
        siblings = self._sets.by_index(OWNER, owner) if owner else [current]
        return (pod for item in siblings for pod in self._pods.by_index(OWNER, objects.uid(item)))

    async def _claimed(self, current: ReplicaSet) -> list[Pod] | None:
        """Its pods, after adopting and releasing; None if its selector makes no sense."""
        try:
            selector = LabelSelector.of(current.spec.selector if current.spec else None)
        except SelectorError as error:
            log.warning("a selector makes no sense", replica_set=objects.name(current), reason=str(error))
            return None
        candidates = self._pods.by_index(OWNER, objects.uid(current))
        candidates += self._pods.by_index(OWNER, orphans_of(objects.namespace(current)))
        sorted_out = claim(current, selector, candidates)
        owned = list(sorted_out.owned)
        if sorted_out.adopt and await still_wanted(self.client, current):
            owned += [pod for item in sorted_out.adopt if (pod := await adopt(self.client, current, item))]
        for item in sorted_out.release:
            await release(self.client, current, item)
        return owned

    async def _write_status(self, current: ReplicaSet, owned: list[Pod], failure: str | None, complete: bool) -> None:
        new = status(current, owned, failure, self.clock(), complete)
        if new == current.status:
            return
        try:
            self._latest.wrote(await self.client.update_status(msgspec.structs.replace(current, status=new)))
        except errors.NotFound:
            log.debug("gone before its status was written", replica_set=objects.name(current))
