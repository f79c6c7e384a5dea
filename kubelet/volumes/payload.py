"""What is to be in a volume made from objects: configMap, secret, downwardAPI, and projected ones, as paths and bytes.

Pure: the objects are fetched beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from api.types import core_v1
from kubelet.pod.env import Objects
from kubelet.pod.fields import Facts, field_value, resource_value
from kubelet.volumes.atomic import File
from kubelet.volumes.problem import MountError

DEFAULT_MODE = 0o644


@dataclass(frozen=True)
class Inputs:
    """Everything that files may be made from."""

    pod: core_v1.Pod
    objects: Objects
    facts: Facts
    tokens: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Service account tokens by audience and asked lifetime in seconds."""
    refused: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Why there is no such token."""
    node_memory: int = 0
    """Bytes; 0 if it isn't known."""


def changes_files(old: core_v1.Pod, new: core_v1.Pod) -> bool:
    """Whether a change of the pod itself is one that its downwardAPI volumes show."""
    return _shown(old) != _shown(new) and any(_is_downward(each) for each in (new.spec and new.spec.volumes) or ())


def _shown(pod: core_v1.Pod) -> tuple[object, ...]:
    metadata, containers = pod.metadata, pod.spec.containers if pod.spec else ()
    assert metadata is not None
    return metadata.labels, metadata.annotations, [each.resources for each in containers]


def _is_downward(volume: core_v1.Volume) -> bool:
    parts = (volume.projected.sources if volume.projected else None) or ()
    return volume.downwardAPI is not None or any(part.downwardAPI is not None for part in parts)


def is_made_from_objects(volume: core_v1.Volume) -> bool:
    return any((volume.configMap, volume.secret, volume.downwardAPI, volume.projected))


def files(volume: core_v1.Volume, inputs: Inputs) -> dict[str, File]:
    """The volume's files. Raises MountError."""
    if volume.configMap is not None:
        source = volume.configMap
        mode = _mode(source.defaultMode)
        return _keys("configmap", source.name, source.items, source.optional, inputs.objects.configmaps, mode, inputs)
    if volume.secret is not None:
        secret = volume.secret
        mode = _mode(secret.defaultMode)
        return _keys("secret", secret.secretName, secret.items, secret.optional, inputs.objects.secrets, mode, inputs)
    if volume.downwardAPI is not None:
        return _downward(volume.downwardAPI.items or [], _mode(volume.downwardAPI.defaultMode), inputs)
    made: dict[str, File] = {}
    if volume.projected is not None:
        mode = _mode(volume.projected.defaultMode)
        for part in volume.projected.sources or ():
            made |= _projected(part, mode, inputs)
    return made


def _projected(part: core_v1.VolumeProjection, mode: int, inputs: Inputs) -> dict[str, File]:
    if part.configMap is not None:
        config = part.configMap
        return _keys("configmap", config.name, config.items, config.optional, inputs.objects.configmaps, mode, inputs)
    if part.secret is not None:
        secret = part.secret
        return _keys("secret", secret.name, secret.items, secret.optional, inputs.objects.secrets, mode, inputs)
    if part.downwardAPI is not None:
        return _downward(part.downwardAPI.items or [], mode, inputs)
    if part.serviceAccountToken is not None:
        key = token_key(part.serviceAccountToken)
        token = inputs.tokens.get(key)
        if token is None:
            raise MountError(inputs.refused.get(key, "the service account token has not been issued"))
        return {part.serviceAccountToken.path: _token_file(token, mode, inputs.pod)}
    if part.clusterTrustBundle is not None and part.clusterTrustBundle.optional:
        return {part.clusterTrustBundle.path: File(b"", mode)}  # as one that isn't there
    kind = next((name for name in part.__struct_fields__ if getattr(part, name) is not None), "")
    raise MountError(f"projected volumes from {kind} are not supported" if kind else "a projection names no source")


def _token_file(token: str, mode: int, pod: core_v1.Pod) -> File:
    """Of those who can be told apart only they may read it: the one user that all containers run as, the fsGroup.
    Else everybody in the pod has to."""
    user, group = only_user(pod), _fs_group(pod)
    return File(token.encode(), mode if user is None and group is None else 0o600, user)


def only_user(pod: core_v1.Pod) -> int | None:
    """The user that all of the pod's containers are told to run as, if it is one."""
    if pod.spec is None:
        return None
    whole = pod.spec.securityContext.runAsUser if pod.spec.securityContext else None
    containers = [*pod.spec.containers, *(pod.spec.initContainers or ())]
    own = [each.securityContext.runAsUser if each.securityContext else None for each in containers]
    users = {whole if each is None else each for each in own}
    return users.pop() if len(users) == 1 else None


def token_key(source: core_v1.ServiceAccountTokenProjection) -> tuple[str, int]:
    return source.audience or "", source.expirationSeconds or 3600


def token_sources(spec: core_v1.PodSpec) -> list[core_v1.ServiceAccountTokenProjection]:
    parts = [part for volume in spec.volumes or () if volume.projected for part in volume.projected.sources or ()]
    return [part.serviceAccountToken for part in parts if part.serviceAccountToken is not None]


def _fs_group(pod: core_v1.Pod) -> int | None:
    security = pod.spec.securityContext if pod.spec else None
    return security.fsGroup if security else None


def _keys(
    kind: str,
    name: str | None,
    items: Iterable[core_v1.KeyToPath] | None,
    optional: bool | None,
    held: Mapping[str, Mapping[str, bytes]],
    mode: int,
    inputs: Inputs,
) -> dict[str, File]:
    found = held.get(name or "")
    if found is None:
        if optional:
            return {}
        raise MountError(f'{kind} "{name}" not found')
    if not items:
        return {key: File(value, mode) for key, value in found.items()}
    made = {}
    for item in items:
        if item.key in found:
            made[item.path] = File(found[item.key], _mode(item.mode, mode))
        elif not optional:
            namespace = inputs.pod.metadata.namespace if inputs.pod.metadata else ""
            raise MountError(f"references non-existent {kind} key: {namespace}/{name}: {item.key}")
    return made


def _downward(items: Iterable[core_v1.DownwardAPIVolumeFile], mode: int, inputs: Inputs) -> dict[str, File]:
    made = {}
    for item in items:
        made[item.path] = File(_downward_value(item, inputs).encode(), _mode(item.mode, mode))
    return made


def _downward_value(item: core_v1.DownwardAPIVolumeFile, inputs: Inputs) -> str:
    try:
        if item.fieldRef is not None:
            return field_value(inputs.pod, item.fieldRef.fieldPath, inputs.facts)
        if item.resourceFieldRef is not None and inputs.pod.spec is not None:
            named = item.resourceFieldRef.containerName
            owner = next((each for each in inputs.pod.spec.containers if each.name == named), None)
            if owner is None:
                raise MountError(f"container {named!r} of a resourceFieldRef not found")
            return resource_value(owner, item.resourceFieldRef, inputs.facts)
    except ValueError as error:
        raise MountError(str(error)) from error
    return ""


def _mode(asked: int | None, otherwise: int = DEFAULT_MODE) -> int:
    return otherwise if asked is None else asked
