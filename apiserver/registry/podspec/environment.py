"""A container's environment variables, and the fields and resources of the pod that they may refer to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from api import names
from api.field import FieldError, invalid, not_found, not_supported, required
from apiserver.registry import rules
from apiserver.registry.kind import Object
from apiserver.registry.podspec.sources import local_path

ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_CONVERTIBLE = frozenset({*ENV_FIELDS, *VOLUME_FIELDS, "status.phase", "spec.restartPolicy", "spec.schedulerName"})
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_SIZES = ("1", *(f"1{unit}" for unit in ("k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")))
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_NO_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
_SUBSCRIPT = re.compile(r"([^\[]+)\['(.*)'\]\Z", re.DOTALL)


def variables(values: list[Object], at: str, volumes: Mapping[str, Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, variable in enumerate(values):
        name = variable.get("name")
        if not name:
            errors.append(required(f"{at}[{index}].name"))
        else:
            errors += rules.each(names.env_var_name, name, f"{at}[{index}].name")
        source = variable.get("valueFrom")
        if source is not None:
            errors += _value_from(source, variable.get("value"), f"{at}[{index}].valueFrom", volumes)
    return errors


def _value_from(source: Object, value: str | None, at: str, volumes: Mapping[str, Object]) -> list[FieldError]:
    given = [kind for kind in _SOURCES if source.get(kind) is not None]
    errors: list[FieldError] = []
    for kind in given:
        errors += _source(kind, source[kind], f"{at}.{kind}", volumes)
    if not given:
        errors.append(invalid(at, "", _NO_SOURCE))
    elif value:
        errors.append(invalid(at, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        errors.append(invalid(at, "", "may not have more than one field specified at a time"))
    return errors


def _source(kind: str, source: Object, at: str, volumes: Mapping[str, Object]) -> list[FieldError]:
    if kind == "fieldRef":
        return field_reference(source, ENV_FIELDS, at)
    if kind == "resourceFieldRef":
        return resource_reference(source, at)
    if kind == "fileKeyRef":
        return _file(source, at, volumes)
    errors = rules.each(names.dns1123_subdomain, source.get("name"), f"{at}.name")
    if not source.get("key"):
        errors.append(required(f"{at}.key"))
    else:
        errors += rules.each(names.config_key, source["key"], f"{at}.key")
    return errors


def _file(source: Object, at: str, volumes: Mapping[str, Object]) -> list[FieldError]:
    errors = [required(f"{at}.{name}") for name in ("volumeName", "path", "key") if not source.get(name)]
    volume, path, key = source.get("volumeName"), source.get("path"), source.get("key")
    if volume and volume not in volumes:
        errors.append(not_found(f"{at}.volumeName", volume))
    elif volume and volumes[volume].get("emptyDir") is None:
        errors.append(invalid(f"{at}.volumeName", volume, "referenced volume must be of type emptyDir"))
    if path:
        errors += local_path(path, f"{at}.path")
    if key:
        errors += rules.each(names.env_var_name, key, f"{at}.key")
    return errors


def field_reference(reference: Object, allowed: Collection[str], at: str) -> list[FieldError]:
    """An ObjectFieldSelector: a field of the pod, or one label or annotation of it."""
    version, path = reference.get("apiVersion"), reference.get("fieldPath")
    if not version:
        return [required(f"{at}.apiVersion")]
    if not path:
        return [required(f"{at}.fieldPath")]
    subscripted = _SUBSCRIPT.match(path)
    if subscripted:
        base, key = subscripted.groups()
        if base == "metadata.annotations":
            return rules.each(names.qualified_name, key.lower(), at)
        if base == "metadata.labels":
            return rules.each(names.qualified_name, key, at)
        return [invalid(at, base, "does not support subscript")]
    if version != "v1" or path not in _CONVERTIBLE:
        text = f"field label not supported: {path}" if version == "v1" else f"unsupported pod version: {version}"
        return [invalid(f"{at}.fieldPath", path, f"error converting fieldPath: {text}")]
    return [] if path in allowed else [not_supported(f"{at}.fieldPath", path, allowed)]


def resource_reference(reference: Object, at: str, *, in_volume: bool = False) -> list[FieldError]:
    """A ResourceFieldSelector: a request or limit of a container."""
    name = reference.get("resource") or ""
    errors: list[FieldError] = []
    if in_volume and not reference.get("containerName"):
        errors.append(required(f"{at}.containerName"))
    elif not name:
        errors.append(required(f"{at}.resource"))
    elif name not in _RESOURCES and not name.startswith(_HUGE_PAGES):
        errors.append(not_supported(f"{at}.resource", name, _RESOURCES))
    divisor = reference.get("divisor")
    if divisor not in (None, "0"):
        errors += _divisor(name, str(divisor), f"{at}.divisor")
    return errors


def _divisor(name: str, divisor: str, at: str) -> list[FieldError]:
    kind = name.partition(".")[2]
    if kind == "cpu":
        allowed: tuple[str, ...] = ("1m", "1")
        text = "only divisor's values 1m and 1 are supported with the cpu resource"
    else:
        allowed = _SIZES
        called = {"ephemeral-storage": "local ephemeral storage"}.get(kind, kind.partition("-")[0])
        text = f"only divisor's values {', '.join(_SIZES)} are supported with the {called} resource"
    return [] if divisor in allowed else [invalid(at, name, text)]


def sources(values: list[Object], at: str) -> list[FieldError]:
    """`envFrom`: whole ConfigMaps and Secrets."""
    errors: list[FieldError] = []
    for index, entry in enumerate(values):
        if prefix := entry.get("prefix"):
            errors += rules.each(names.env_var_name, prefix, f"{at}[{index}].prefix")
        given = [kind for kind in ("configMapRef", "secretRef") if entry.get(kind) is not None]
        for kind in given:
            name = entry[kind].get("name")
            if not name:
                errors.append(required(f"{at}[{index}].{kind}.name"))
            else:
                errors += rules.each(names.dns1123_subdomain, name, f"{at}[{index}].{kind}.name")
        if not given:
            errors.append(invalid(at, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(given) > 1:
            errors.append(invalid(at, "", "may not have more than one field specified at a time"))
    return errors
