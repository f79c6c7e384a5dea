"""A container's environment, in Kubernetes' order of precedence: services, envFrom, then env with `$(VAR)`
expansion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from api.types import core_v1
from kubelet.pod import env_file
from kubelet.pod.expand import expand
from kubelet.pod.fields import Facts, field_value, named_container, resource_value
from kubelet.pod.problem import ConfigError


@dataclass(frozen=True)
class Objects:
    """The pod's ConfigMaps and Secrets by name, each as a map of keys to bytes. A name that is missing doesn't
    exist."""

    configmaps: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    binary: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The keys of a ConfigMap that are no text: files show them, variables don't."""

    def texts(self, configmap: str | None) -> Mapping[str, bytes] | None:
        """What of a ConfigMap can be a variable."""
        found, binary = self.configmaps.get(configmap or ""), self.binary.get(configmap or "", frozenset())
        return found if found is None else {key: value for key, value in found.items() if key not in binary}


def environment(
    pod: core_v1.Pod,
    container: core_v1.Container,
    facts: Facts,
    objects: Objects,
    services: Mapping[str, str],
    files: Mapping[tuple[str, str], str | None] | None = None,
) -> dict[str, str]:
    """The variables by name. `files` are what `file_references` names, None for one that isn't there.

    Raises ConfigError.
    """
    values: dict[str, str] = dict(services)
    for source in container.envFrom or ():
        values |= _from_source(source, objects)
    for variable in container.env or ():
        resolved = _value(pod, container, variable, facts, objects, values, files or {})
        if resolved is not None:
            values[variable.name] = resolved
    for name, value in values.items():
        if "\0" in value:  # the engine would tell everybody the value
            raise ConfigError(f"the value of the environment variable {name} contains a null byte")
    return values


def _value(
    pod: core_v1.Pod,
    container: core_v1.Container,
    variable: core_v1.EnvVar,
    facts: Facts,
    objects: Objects,
    known: Mapping[str, str],
    files: Mapping[tuple[str, str], str | None],
) -> str | None:
    source = variable.valueFrom
    if variable.value or source is None:
        return expand(variable.value or "", known)
    if source.fieldRef is not None:
        return _checked(partial(field_value, pod, source.fieldRef.fieldPath, facts))
    if source.resourceFieldRef is not None:
        return _checked(partial(_resource, pod, container, source.resourceFieldRef, facts))
    if source.configMapKeyRef is not None:
        config = source.configMapKeyRef
        return _key("configmap", objects.texts(config.name), config, pod)
    if source.secretKeyRef is not None:
        secret = source.secretKeyRef
        return _key("secret", objects.secrets.get(secret.name or ""), secret, pod)
    return _from_file(source.fileKeyRef, files) if source.fileKeyRef is not None else ""


def _resource(pod: core_v1.Pod, container: core_v1.Container, ref: core_v1.ResourceFieldSelector, facts: Facts) -> str:
    owner = named_container(pod, ref.containerName) if ref.containerName else container
    return resource_value(owner, ref, facts)


def _checked(call: Callable[[], str]) -> str:
    try:
        return call()
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _key(
    kind: str,
    found: Mapping[str, bytes] | None,
    ref: core_v1.ConfigMapKeySelector | core_v1.SecretKeySelector,
    pod: core_v1.Pod,
) -> str | None:
    if found is not None and ref.key in found:
        return found[ref.key].decode(errors="replace")
    if ref.optional:
        return None
    if found is None:
        raise ConfigError(f'{kind} "{ref.name}" not found')
    spoken = {"configmap": "ConfigMap", "secret": "Secret"}[kind]
    namespace = pod.metadata.namespace if pod.metadata else ""
    raise ConfigError(f"couldn't find key {ref.key} in {spoken} {namespace}/{ref.name}")


def _from_file(ref: core_v1.FileKeySelector, files: Mapping[tuple[str, str], str | None]) -> str | None:
    text = files.get((ref.volumeName, ref.path))
    try:
        found = env_file.value(text, ref.key) if text is not None else ""
    except ValueError as error:
        raise ConfigError(f"couldn't parse env file: {error}") from error
    if found or ref.optional:
        return found or None
    raise ConfigError(f'environment variable key "{ref.key}" not found in file "{ref.path}"')


def file_references(container: core_v1.Container) -> set[tuple[str, str]]:
    """The files that variables come from: volume and path."""
    refs = [each.valueFrom.fileKeyRef for each in container.env or () if each.valueFrom is not None]
    return {(each.volumeName, each.path) for each in refs if each is not None}


def _from_source(source: core_v1.EnvFromSource, objects: Objects) -> dict[str, str]:
    ref: core_v1.ConfigMapEnvSource | core_v1.SecretEnvSource | None = source.configMapRef or source.secretRef
    if ref is None:
        return {}
    config = source.configMapRef is not None
    found = objects.texts(ref.name) if config else objects.secrets.get(ref.name or "")
    if found is None:
        if ref.optional:
            return {}
        raise ConfigError(f'{"configmap" if config else "secret"} "{ref.name}" not found')
    return {f"{source.prefix or ''}{key}": value.decode(errors="replace") for key, value in found.items()}


def references(pod: core_v1.Pod) -> tuple[set[str], set[str]]:
    """The names of the ConfigMaps and of the Secrets that the pod's containers and volumes use."""
    configmaps: set[str] = set()
    secrets: set[str] = set()
    spec = pod.spec
    assert spec is not None
    for container in [*spec.containers, *(spec.initContainers or ()), *(spec.ephemeralContainers or ())]:
        _env_references(container, configmaps, secrets)
    for volume in spec.volumes or ():
        if volume.configMap is not None:
            configmaps.add(volume.configMap.name or "")
        if volume.secret is not None:
            secrets.add(volume.secret.secretName or "")
        for source in volume.projected.sources or () if volume.projected else ():
            if source.configMap is not None:
                configmaps.add(source.configMap.name or "")
            if source.secret is not None:
                secrets.add(source.secret.name or "")
    return configmaps, secrets


def _env_references(
    container: core_v1.Container | core_v1.EphemeralContainer, configmaps: set[str], secrets: set[str]
) -> None:
    for variable in container.env or ():
        source = variable.valueFrom
        if source is not None and source.configMapKeyRef is not None:
            configmaps.add(source.configMapKeyRef.name or "")
        if source is not None and source.secretKeyRef is not None:
            secrets.add(source.secretKeyRef.name or "")
    for each in container.envFrom or ():
        if each.configMapRef is not None:
            configmaps.add(each.configMapRef.name or "")
        if each.secretRef is not None:
            secrets.add(each.secretRef.name or "")
