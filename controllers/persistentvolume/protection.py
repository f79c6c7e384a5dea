"""Claims and volumes hold a finalizer while somebody needs them: deletion waits for the last pod, or for the claim.
Pure."""

from __future__ import annotations

from collections.abc import Iterable

from api.types import core_v1
from api.volumes import Claim, Volume
from controllers import objects, pods

CLAIM = "kubernetes.io/pvc-protection"
VOLUME = "kubernetes.io/pv-protection"


def claims_of(pod: core_v1.Pod) -> set[str]:
    """The names of the claims that a pod uses, those that are made with it too."""
    found = set()
    for volume in (pod.spec and pod.spec.volumes) or ():
        if volume.persistentVolumeClaim is not None:
            found.add(volume.persistentVolumeClaim.claimName)
        elif volume.ephemeral is not None:
            found.add(f"{objects.name(pod)}-{volume.name}")
    return found


def wanted(obj: Claim | Volume, finalizer: str, *, in_use: bool) -> list[str] | None:
    """The object's finalizers as they should be; None if they are. A pod without a node doesn't count as a user: no
    kubelet starts a pod whose claim is going."""
    have = list(objects.meta(obj).finalizers or ())
    if objects.deleting(obj):
        return [each for each in have if each != finalizer] if finalizer in have and not in_use else None
    return None if finalizer in have else [*have, finalizer]


def is_used(claim: Claim, candidates: Iterable[core_v1.Pod]) -> bool:
    name = objects.name(claim)
    return any(pods.node_name(pod) and name in claims_of(pod) for pod in candidates)
