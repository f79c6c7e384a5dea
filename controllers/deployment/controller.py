"""The shell around a Deployment's decisions: claims its ReplicaSets, carries out one step, writes the status."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from api import errors
from api.selectors import LabelSelector, SelectorError
from api.types import apps_v1, core_v1
from controllers import objects, pods
from controllers.claim import adopt, claim, release, still_wanted
from controllers.controller import Controller
from controllers.deployment import limits, revisions
from controllers.deployment.rollout import Change, Create, Remove, decide
from controllers.deployment.status import check_again, status
from controllers.deployment.templates import canonical, template_of
from controllers.deployment.view import View, size
from controllers.failures import namespace_is_terminating
from controllers.informers import NAMESPACE, OWNER, orphans_of
from controllers.latest import Latest
from controllers.shared import Shared
from daemon.log import logger

log = logger(__name__)

Deployment = apps_v1.Deployment
ReplicaSet = apps_v1.ReplicaSet


class DeploymentController(Controller):
    name = "deployment"
    component = "deployment-controller"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._deployments = self.read(Deployment)
        self._sets = self.read(ReplicaSet)
        self._pods = self.read(core_v1.Pod)
        self._latest: Latest[Deployment] = Latest()
        self._latest_sets: Latest[ReplicaSet] = Latest()
        self._deployments.on_change(self._deployment_changed)
        self._sets.on_change(self._set_changed)
        self._pods.on_change(self._pod_changed)

    # -- what wakes it

    def _deployment_changed(self, key: str, old: Deployment | None, new: Deployment | None) -> None:
        if old is not None and new is None:
            self._latest.forget(old)
        self.queue.add(key)

    def _set_changed(self, key: str, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        if old is not None and new is None:
            self._latest_sets.forget(old)
        for item in (old, new):
            owner = objects.controller(item) if item is not None else None
            if item is not None and owner is not None and owner.kind == "Deployment":
                self.queue.add(f"{objects.namespace(item)}/{owner.name}")
        if new is not None and objects.controller(new) is None:
            for deployment in self._deployments.by_index(NAMESPACE, objects.namespace(new)):
                selector = deployment.spec.selector if deployment.spec else None
                if LabelSelector.of(selector).matches(objects.labels(new)):
                    self.queue.add(f"{objects.namespace(new)}/{objects.name(deployment)}")

    def _pod_changed(self, key: str, old: core_v1.Pod | None, new: core_v1.Pod | None) -> None:
        """A pod that went, or ended, may be what a Recreate waits for; ReplicaSets tell of everything else."""
        if old is None or (new is not None and not pods.is_terminal(new)):
            return
        owner = objects.controller(old)
        owned_by = self._sets.get(f"{objects.namespace(old)}/{owner.name}") if owner else None
        above = objects.controller(owned_by) if owned_by is not None else None
        if above is None or above.kind != "Deployment":
            return
        deployment = self._deployments.get(f"{objects.namespace(old)}/{above.name}")
        if deployment is not None and limits.is_recreate(deployment):
            self.queue.add(f"{objects.namespace(old)}/{above.name}")

    # -- what it does

    async def reconcile(self, key: str) -> float | None:
        cached = self._deployments.get(key)
        if cached is None:
            return None
        deployment = self._latest.newest(cached)
        if _selects_everything(deployment):
            await self._refuse(deployment)
            return None
        owned = await self._claimed(deployment)
        if owned is None:
            return None
        view = View.of(deployment, owned)
        if limits.is_recreate(deployment):
            view = replace(view, old_pods_remain=self._old_pods_remain(view))
        return await self._step(view)

    def _old_pods_remain(self, view: View) -> bool:
        old_pods = (pod for item in view.old for pod in self._pods.by_index(OWNER, objects.uid(item)))
        return any(not pods.is_terminal(pod) for pod in old_pods)

    async def _step(self, view: View) -> float | None:
        current, made = view.current, None
        for action in decide(view):
            match action:
                case Create(wanted):
                    try:
                        current = await self._create(view.deployment, wanted)
                    except errors.StatusError as error:
                        return await self._not_created(view, wanted, error)
                    made = objects.name(current)
                case Change(target):
                    changed = await self._change(view.deployment, action)
                    current = changed if target is view.current else current
                case Remove(target):
                    await self._remove(target)
        deployment = await self._mark_revision(view.deployment, current)
        written = await self._write_status(replace(view, deployment=deployment), made)
        return check_again(view, written, self.clock())

    async def _create(self, deployment: Deployment, wanted: ReplicaSet) -> ReplicaSet:
        """The ReplicaSet, made now or before this cache knew of it."""
        try:
            created = await self.client.create(wanted)
        except errors.AlreadyExists:
            there = await self.client.get(ReplicaSet, objects.name(wanted), objects.namespace(wanted))
            same_template = canonical(template_of(there)) == canonical(template_of(wanted))
            if objects.controller_uid(there) == objects.uid(deployment) and same_template:
                return there
            raise
        if size(created):
            self._tell_scaled(deployment, objects.name(created), 0, size(created))
        return created

    async def _not_created(self, view: View, wanted: ReplicaSet, error: errors.StatusError) -> float | None:
        """Take another name where this one is taken; else say in the status why the rollout cannot begin."""
        deployment = view.deployment
        if namespace_is_terminating(error):
            return None
        if isinstance(error, errors.AlreadyExists):
            before = deployment.status or apps_v1.DeploymentStatus()
            counted = msgspec.structs.replace(before, collisionCount=(before.collisionCount or 0) + 1)
            await self._put_status(deployment, counted)
            return 0.0
        text = f'Failed to create new replica set "{objects.name(wanted)}": {error}'
        self.events.event(deployment, "Warning", "ReplicaSetCreateError", text)
        await self._write_status(view, None, text)
        raise error

    async def _change(self, deployment: Deployment, change: Change) -> ReplicaSet:
        target = change.replica_set
        metadata: dict[str, Any] = {"resourceVersion": objects.meta(target).resourceVersion}
        if change.annotations:
            metadata["annotations"] = change.annotations
        patch: dict[str, Any] = {"metadata": metadata}
        if change.scales:
            patch["spec"] = {"replicas": change.replicas}
        if change.min_ready_seconds is not None:
            patch.setdefault("spec", {})["minReadySeconds"] = change.min_ready_seconds
        changed = await self.client.patch(ReplicaSet, objects.name(target), patch, objects.namespace(target))
        if change.scales:
            self._tell_scaled(deployment, objects.name(target), size(target), change.replicas)
        return self._latest_sets.wrote(changed)

    def _tell_scaled(self, deployment: Deployment, name: str, before: int, after: int) -> None:
        direction = "up" if after > before else "down"
        text = f"Scaled {direction} replica set {name} from {before} to {after}"
        self.events.event(deployment, "Normal", "ScalingReplicaSet", text)

    async def _remove(self, target: ReplicaSet) -> None:
        try:
            await self.client.delete(
                ReplicaSet, objects.name(target), objects.namespace(target), uid=objects.uid(target)
            )
        except errors.NotFound:
            log.debug("history was gone already", replica_set=objects.name(target))

    async def _mark_revision(self, deployment: Deployment, current: ReplicaSet | None) -> Deployment:
        """Say on the Deployment which revision is the present one."""
        revision = objects.annotations_of(current).get(revisions.REVISION) if current is not None else None
        if revision is None or objects.annotations_of(deployment).get(revisions.REVISION) == revision:
            return deployment
        patch = {"metadata": {"annotations": {revisions.REVISION: revision}}}
        name, namespace = objects.name(deployment), objects.namespace(deployment)
        return self._latest.wrote(await self.client.patch(Deployment, name, patch, namespace))

    async def _write_status(
        self, view: View, made: str | None = None, failure: str | None = None
    ) -> apps_v1.DeploymentStatus:
        new = status(view, self.clock(), made, failure)
        if new != view.deployment.status:
            await self._put_status(view.deployment, new)
        return new

    async def _put_status(self, deployment: Deployment, new: apps_v1.DeploymentStatus) -> None:
        try:
            self._latest.wrote(await self.client.update_status(msgspec.structs.replace(deployment, status=new)))
        except errors.NotFound:
            log.debug("gone before its status was written", deployment=objects.name(deployment))

    async def _refuse(self, deployment: Deployment) -> None:
        """A selector that selects everything would adopt everything."""
        text = "This deployment is selecting all pods. A non-empty selector is required."
        self.events.event(deployment, "Warning", "SelectingAll", text)
        before, generation = deployment.status or apps_v1.DeploymentStatus(), objects.meta(deployment).generation
        if (before.observedGeneration or 0) < (generation or 0):
            await self._put_status(deployment, msgspec.structs.replace(before, observedGeneration=generation))

    async def _claimed(self, deployment: Deployment) -> list[ReplicaSet] | None:
        """Its ReplicaSets, after adopting and releasing; None if its selector makes no sense."""
        try:
            selector = LabelSelector.of(deployment.spec.selector if deployment.spec else None)
        except SelectorError as error:
            log.warning("a selector makes no sense", deployment=objects.name(deployment), reason=str(error))
            return None
        candidates = self._sets.by_index(OWNER, objects.uid(deployment))
        candidates += self._sets.by_index(OWNER, orphans_of(objects.namespace(deployment)))
        sorted_out = claim(deployment, selector, (self._latest_sets.newest(item) for item in candidates))
        owned = list(sorted_out.owned)
        if sorted_out.adopt and await still_wanted(self.client, deployment):
            owned += [item for each in sorted_out.adopt if (item := await adopt(self.client, deployment, each))]
        for each in sorted_out.release:
            await release(self.client, deployment, each)
        return owned


def _selects_everything(deployment: Deployment) -> bool:
    selector = deployment.spec.selector if deployment.spec else None
    return selector is not None and not selector.matchLabels and not selector.matchExpressions
