"""The security context: what the kernel lets a container do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.types import core_v1
from kubelet.pod import capabilities
from kubelet.pod.ground import Ground
from kubelet.pod.problem import CreateError

_LABELS = ("user", "role", "type", "level")


def apply_security(
    pod: core_v1.PodSpec, container: core_v1.Container, body: dict[str, Any], devices: Sequence[str], ground: Ground
) -> None:
    """Write the effective security context into a create body: the container's own fields win over the pod's.

    `devices` are the machine's, for a privileged container that has to be put together. Raises CreateError for a
    profile that can't be had.
    """
    whole = pod.securityContext or core_v1.PodSecurityContext()
    own = container.securityContext or core_v1.SecurityContext()
    host = body["HostConfig"]
    if own.privileged:
        options = _privileged(host, devices, ground.capabilities)
    else:
        added, dropped = capabilities.changes(own.capabilities, ground.capabilities)
        host |= {"CapAdd": added, "CapDrop": dropped}
        options = seccomp(own.seccompProfile or whole.seccompProfile, ground)
    if own.readOnlyRootFilesystem:
        host["ReadonlyRootfs"] = True
    if own.procMount == "Unmasked":
        host |= _UNMASKED
    if own.allowPrivilegeEscalation is False:
        options.append("no-new-privileges")
    options += _apparmor(own.appArmorProfile or whole.appArmorProfile)
    options += _selinux(own.seLinuxOptions or whole.seLinuxOptions)
    if options:
        host["SecurityOpt"] = options


_UNMASKED: dict[str, list[str]] = {"MaskedPaths": [], "ReadonlyPaths": []}


def _privileged(host: dict[str, Any], devices: Sequence[str], present: Sequence[str]) -> list[str]:
    """Everything that this machine can give. Where the engine's own way fails, since it asks for capabilities that
    the machine doesn't have, the same is put together from its parts; only `/sys` stays read-only then."""
    if not present:
        host["Privileged"] = True
        return ["seccomp=unconfined"]
    host |= {"CapAdd": capabilities.everything(present), "DeviceCgroupRules": ["a *:* rwm"], **_UNMASKED}
    host["Devices"] = [{"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"} for path in devices]
    return ["seccomp=unconfined", "apparmor=unconfined", "label=disable"]


def seccomp(profile: core_v1.SeccompProfile | None, ground: Ground) -> list[str]:
    """Docker's option for a profile. Without one a container is unconfined, as Kubernetes has it, unless the node
    says that the engine's own profile is the default. Raises CreateError for a local profile that can't be read."""
    kind = profile.type if profile is not None else "RuntimeDefault" if ground.seccomp_default else "Unconfined"
    if kind == "RuntimeDefault":
        return []
    if kind == "Unconfined" or profile is None:
        return ["seccomp=unconfined"]
    folder = ground.seccomp_folder
    path = (folder / (profile.localhostProfile or "")).resolve()
    if not path.is_relative_to(folder.resolve()):
        text = f"the seccomp profile {profile.localhostProfile!r} leads out of the node's folder of profiles"
        raise CreateError(text)
    try:
        return [f"seccomp={path.read_text()}"]
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "not a text"
        raise CreateError(f'cannot load seccomp profile "{path}": open {path}: {why}') from error


def _apparmor(profile: core_v1.AppArmorProfile | None) -> list[str]:
    """The engine has a profile of its own for containers that name none."""
    if profile is None or profile.type == "RuntimeDefault":
        return []
    return ["apparmor=unconfined" if profile.type == "Unconfined" else f"apparmor={profile.localhostProfile}"]


def _selinux(given: core_v1.SELinuxOptions | None) -> list[str]:
    values = [(name, getattr(given, name)) for name in _LABELS] if given is not None else []
    return [f"label={name}:{value}" for name, value in values if value]
