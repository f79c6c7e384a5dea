"""A pod's ephemeral volumes: each gets a claim of its own, made from the template in the pod, which goes with the
pod."""

from __future__ import annotations

from api import errors
from api.types import core_v1, meta_v1
from controllers import objects, pods
from controllers.controller import Controller
from controllers.shared import Shared


def lacking(pod: core_v1.Pod, there: dict[str, core_v1.PersistentVolumeClaim]) -> list[core_v1.PersistentVolumeClaim]:
    """The claims that are still to be made for the pod; `there` are those of its namespace, by name. Raises ValueError
    when another's has the name."""
    made = []
    for volume in (pod.spec and pod.spec.volumes) or ():
        template = volume.ephemeral.volumeClaimTemplate if volume.ephemeral is not None else None
        if template is None:
            continue
        name = f"{objects.name(pod)}-{volume.name}"
        if name in there:
            if objects.controller_uid(there[name]) != objects.uid(pod):
                where = f"{objects.namespace(pod)}/{objects.name(pod)}"
                raise ValueError(f"PVC {name} was not created for pod {where} (pod is not owner)")
            continue
        metadata = meta_v1.ObjectMeta(
            name=name,
            namespace=objects.namespace(pod),
            labels=template.metadata.labels if template.metadata else None,
            annotations=template.metadata.annotations if template.metadata else None,
            ownerReferences=[objects.controller_reference(pod)],
        )
        made.append(core_v1.PersistentVolumeClaim(metadata=metadata, spec=template.spec))
    return made


class EphemeralVolumeController(Controller):
    """Keys are pods'."""

    name = "ephemeral-volume"

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._pods = self.read(core_v1.Pod)
        self._claims = self.read(core_v1.PersistentVolumeClaim)
        self._pods.on_change(self._pod_changed)
        self._claims.on_change(self._claim_changed)

    def _pod_changed(self, key: str, old: core_v1.Pod | None, new: core_v1.Pod | None) -> None:
        volumes = (new.spec and new.spec.volumes) or () if new is not None else ()
        if any(volume.ephemeral is not None for volume in volumes):
            self.queue.add(key)

    def _claim_changed(
        self, key: str, old: core_v1.PersistentVolumeClaim | None, new: core_v1.PersistentVolumeClaim | None
    ) -> None:
        owner = objects.controller(old) if old is not None and new is None else None
        if owner is not None and owner.kind == "Pod":
            self.queue.add(f"{key.partition('/')[0]}/{owner.name}")

    async def reconcile(self, key: str) -> None:
        pod = self._pods.get(key)
        if pod is None or not pods.is_active(pod):
            return
        named = [f"{key}-{each.name}" for each in (pod.spec and pod.spec.volumes) or () if each.ephemeral is not None]
        there = {objects.name(found): found for each in named if (found := self._claims.get(each)) is not None}
        try:
            for claim in lacking(pod, there):
                await self.client.create(claim)
        except errors.AlreadyExists:
            return
        except (ValueError, errors.StatusError) as error:
            self.events.event(pod, "Warning", "FailedBinding", f"ephemeral volume: {error}")
            raise
