"""Pods that this node can't run whatever happens. Such a pod fails for good, with the reason in its status: waiting
would not help it, and whoever made it can put it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import core_v1
from kubelet.pod.ground import Ground

OS_LABEL = "kubernetes.io/os"
SYSTEM = "linux"


@dataclass(frozen=True)
class Refusal:
    """`reason` and `message` as the pod's status and an event tell them."""

    reason: str
    message: str


def refusal(pod: core_v1.Pod, ground: Ground) -> Refusal | None:
    """Why the node refuses the pod, if it does."""
    spec, metadata = pod.spec, pod.metadata
    assert spec is not None
    labels = (metadata.labels if metadata is not None else None) or {}
    if labels.get(OS_LABEL, SYSTEM) != SYSTEM:
        message = f"Failed to admit pod as the `{OS_LABEL}` label doesn't match node label"
        return Refusal("PodOSSelectorNodeLabelDoesNotMatch", message)
    if spec.os is not None and spec.os.name != SYSTEM:
        return Refusal("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
    if forbidden := ground.sysctls.refusal(spec):
        return Refusal("SysctlForbidden", f"forbidden sysctl: {forbidden}")
    if not ground.apparmor and _wants_apparmor(spec):
        return Refusal("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")
    return None


def _wants_apparmor(spec: core_v1.PodSpec) -> bool:
    containers = [*spec.containers, *(spec.initContainers or ()), *(spec.ephemeralContainers or ())]
    contexts = [spec.securityContext, *(each.securityContext for each in containers)]
    profiles = [each.appArmorProfile for each in contexts if each is not None]
    return any(each is not None and each.type != "Unconfined" for each in profiles)
