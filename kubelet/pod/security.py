"""The security context: who the container runs as and what the kernel lets it do."""

from __future__ import annotations

from typing import Any

from api.types import core_v1


class SecurityError(ValueError):
    """The container would run as somebody it must not run as."""


def apply_security(pod: core_v1.PodSpec, container: core_v1.Container, body: dict[str, Any], image_user: str) -> None:
    """Write the effective security context into a create body: the container's own fields win over the pod's."""
    whole = pod.securityContext or core_v1.PodSecurityContext()
    own = container.securityContext or core_v1.SecurityContext()
    host = body["HostConfig"]
    user = own.runAsUser if own.runAsUser is not None else whole.runAsUser
    group = own.runAsGroup if own.runAsGroup is not None else whole.runAsGroup
    not_root = own.runAsNonRoot if own.runAsNonRoot is not None else whole.runAsNonRoot
    if not_root:
        _check_not_root(container.name, user, image_user)
    if user is not None or group is not None:
        body["User"] = f"{_first(user, image_user.partition(':')[0] or 0)}" + (f":{group}" if group is not None else "")
    extra = [*(whole.supplementalGroups or ()), *([whole.fsGroup] if whole.fsGroup is not None else [])]
    if extra:
        host["GroupAdd"] = [str(each) for each in extra]
    if own.privileged:
        host["Privileged"] = True
    if own.capabilities is not None:
        host["CapAdd"] = list(own.capabilities.add or ())
        host["CapDrop"] = list(own.capabilities.drop or ())
    if own.readOnlyRootFilesystem:
        host["ReadonlyRootfs"] = True
    options = []
    if own.allowPrivilegeEscalation is False:
        options.append("no-new-privileges")
    profile = own.seccompProfile or whole.seccompProfile
    if profile is not None and profile.type == "Unconfined":
        options.append("seccomp=unconfined")
    if options:
        host["SecurityOpt"] = options


def _first(user: int | None, otherwise: str | int) -> str | int:
    return user if user is not None else otherwise


def _check_not_root(name: str, user: int | None, image_user: str) -> None:
    """Raises SecurityError unless the user is known to be somebody else than root."""
    if user is not None:
        if user == 0:
            raise SecurityError(f"container's runAsUser breaks non-root policy (container: {name})")
        return
    who = image_user.partition(":")[0]
    if who and not who.isdigit():
        raise SecurityError(
            f"container has runAsNonRoot and image has non-numeric user ({who}), cannot verify user is non-root"
        )
    if not who or int(who) == 0:
        raise SecurityError(f"container has runAsNonRoot and image will run as root (container: {name})")
