"""The security context: who the container runs as and what the kernel lets it do."""

from __future__ import annotations

from typing import Any

from api.types import core_v1
from kubelet.pod.ground import Ground


class SecurityError(ValueError):
    """The container would run as somebody it must not run as."""


def apply_security(
    pod: core_v1.PodSpec, container: core_v1.Container, body: dict[str, Any], image_user: str, ground: Ground
) -> None:
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
    options = seccomp(own.seccompProfile or whole.seccompProfile, ground)
    if own.allowPrivilegeEscalation is False:
        options.append("no-new-privileges")
    if options:
        host["SecurityOpt"] = options


def seccomp(profile: core_v1.SeccompProfile | None, ground: Ground) -> list[str]:
    """Docker's option for a profile. Without one a container is unconfined, as Kubernetes has it, unless the node
    says that the engine's own profile is the default. Raises SecurityError for a local profile that can't be read."""
    kind = profile.type if profile is not None else "RuntimeDefault" if ground.seccomp_default else "Unconfined"
    if kind == "RuntimeDefault":
        return []
    if kind == "Unconfined" or profile is None:
        return ["seccomp=unconfined"]
    folder = ground.seccomp_folder
    path = (folder / (profile.localhostProfile or "")).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SecurityError(
            f"the seccomp profile {profile.localhostProfile!r} leads out of the node's folder of profiles"
        )
    try:
        return [f"seccomp={path.read_text()}"]
    except OSError as error:
        raise SecurityError(f"cannot load seccomp profile {profile.localhostProfile!r}: {error.strerror}") from error


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
