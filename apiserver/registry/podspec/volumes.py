"""A pod's volumes, and where its containers mount them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api import names, quantity
from api.field import FieldError, duplicate, forbidden, invalid, not_found, not_supported, required
from apiserver.registry import claims, metadata, rules
from apiserver.registry.kind import Object
from apiserver.registry.podspec import environment, sources

_FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_ONE_TYPE = sources.ONE_TYPE
_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")
_CLAIM_SOURCES = ("persistentVolumeClaim", "ephemeral")
_TOKEN_SECONDS = (600, 2**32)


def volumes(values: list[Object], at: str, pod: str = "") -> tuple[dict[str, Object], list[FieldError]]:
    """(the valid volumes by name, what is wrong with the others). `pod` is the name of a pod, if they are not a
    template's: claims that are made with it are named after it."""
    errors: list[FieldError] = []
    known: dict[str, Object] = {}
    made = {f"{pod}-{volume.get('name')}" for volume in values if pod and volume.get("ephemeral") is not None}
    for index, volume in enumerate(values):
        here = f"{at}[{index}]"
        name = volume.get("name") or ""
        found = _source(volume, here)
        if pod and name and volume.get("ephemeral") is not None:
            wrong = names.dns1123_subdomain(f"{pod}-{name}")
            found += [invalid(f"{here}.name", name, f'PVC name "{pod}-{name}": {why}') for why in wrong]
        if not name:
            found.append(required(f"{here}.name"))
        else:
            found += rules.each(names.dns1123_label, name, f"{here}.name")
        if name in known:
            found.append(duplicate(f"{here}.name", name))
        if found:
            errors += found
        else:
            known[name] = volume
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim in made:
            text = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid(f"{here}.persistentVolumeClaim.claimName", claim, text))
    return known, errors


def _source(volume: Object, at: str) -> list[FieldError]:
    given = [kind for kind, source in volume.items() if kind != "name" and source is not None]
    return sources.one_source(given, volume, _CHECKS, at)


def _empty_dir(source: Object, at: str) -> list[FieldError]:
    limit = source.get("sizeLimit")
    try:
        if limit is None or quantity.parse(limit) >= 0:
            return []
    except quantity.QuantityError as error:
        return [invalid(f"{at}.sizeLimit", limit, str(error))]
    return [forbidden(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity")]


def _config_map(source: Object, at: str) -> list[FieldError]:
    errors = [] if source.get("name") else [required(f"{at}.name")]
    return errors + _files(source, at)


def _secret(source: Object, at: str) -> list[FieldError]:
    errors = [] if source.get("secretName") else [required(f"{at}.secretName")]
    return errors + _files(source, at)


def _files(source: Object, at: str) -> list[FieldError]:
    errors = _mode(source, "defaultMode", at)
    for index, item in enumerate(source.get("items") or ()):
        errors += _key_to_path(item, f"{at}.items[{index}]")
    return errors


def _key_to_path(item: Object, at: str) -> list[FieldError]:
    errors = [required(f"{at}.{name}") for name in ("key", "path") if not item.get(name)]
    return errors + sources.local_path(item.get("path") or "", f"{at}.path") + _mode(item, "mode", at)


def _mode(source: Object, field: str, at: str) -> list[FieldError]:
    mode = source.get(field)
    return [] if mode is None or 0 <= mode <= 0o777 else [invalid(f"{at}.{field}", mode, _FILE_MODE)]


def _downward(source: Object, at: str) -> list[FieldError]:
    errors = _mode(source, "defaultMode", at)
    for item in source.get("items") or ():
        errors += _downward_file(item, at)
    return errors


def _downward_file(item: Object, at: str) -> list[FieldError]:
    path, field, resource = item.get("path") or "", item.get("fieldRef"), item.get("resourceFieldRef")
    errors = [] if path else [required(f"{at}.path")]
    errors += sources.local_path(path, f"{at}.path")
    if field is not None:
        errors += environment.field_reference(field, environment.VOLUME_FIELDS, f"{at}.fieldRef")
        if resource is not None:
            errors.append(invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
    elif resource is not None:
        errors += environment.resource_reference(resource, f"{at}.resourceFieldRef", in_volume=True)
    else:
        errors.append(required(at, "one of fieldRef and resourceFieldRef is required"))
    return errors + _mode(item, "mode", at)


def _projected(source: Object, at: str) -> list[FieldError]:
    errors = _mode(source, "defaultMode", at)
    seen: set[str] = set()
    for index, part in enumerate(source.get("sources") or ()):
        here = f"{at}.sources[{index}]"
        given = [kind for kind, value in part.items() if value is not None]
        for kind in given:
            errors += _projection(kind, part[kind], at, f"{here}.{kind}")
            for path in _paths(part[kind]):
                if path in seen:
                    shown = part[kind].get("name") if kind in ("secret", "configMap") else path
                    errors.append(invalid(at, shown, "conflicting duplicate paths"))
                seen.add(path)
        if len(given) > 1:
            errors.append(forbidden(here, "may not specify more than 1 volume type per source"))
    return errors


def _paths(part: Object) -> list[str]:
    return [item["path"] for item in part.get("items") or () if item.get("path")]


def _projection(kind: str, part: Object, volume_at: str, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if kind in ("secret", "configMap"):
        if not part.get("name"):
            errors.append(required(f"{at}.name"))
        for index, item in enumerate(part.get("items") or ()):
            errors += _key_to_path(item, f"{at}.items[{index}]")
    elif kind == "downwardAPI":
        for item in part.get("items") or ():
            errors += _downward_file(item, at)
    elif kind == "serviceAccountToken":
        seconds, path = part.get("expirationSeconds") or 0, part.get("path")
        if seconds < _TOKEN_SECONDS[0]:
            text = "may not specify a duration less than 10 minutes"
            errors.append(invalid(f"{at}.expirationSeconds", seconds, text))
        if seconds > _TOKEN_SECONDS[1]:
            text = "may not specify a duration larger than 2^32 seconds"
            errors.append(invalid(f"{at}.expirationSeconds", seconds, text))
        # The field of these two is the volume itself, for every client that has ever matched it.
        errors += sources.local_path(path, f"{volume_at}.path") if path else [required(f"{volume_at}.path")]
    return errors


def _ephemeral(source: Object, at: str) -> list[FieldError]:
    """A claim that is made with the pod, and goes with it."""
    template, at = source.get("volumeClaimTemplate"), f"{at}.volumeClaimTemplate"
    if template is None:
        return [required(at)]
    meta = template.get("metadata") or {}
    errors = metadata.validate_annotations(meta.get("annotations"), f"{at}.metadata.annotations")
    errors += rules.labels(meta.get("labels"), f"{at}.metadata.labels")
    for name, value in meta.items():
        if name not in ("annotations", "labels") and value:
            errors.append(forbidden(f"{at}.metadata.{name}", "cannot be set"))
    return errors + claims.claim(template.get("spec") or {}, f"{at}.spec")


def _image(source: Object, at: str) -> list[FieldError]:
    policy = source.get("pullPolicy")
    errors = [] if source.get("reference") else [required(f"{at}.reference")]
    if policy is not None and policy not in PULL_POLICIES:
        errors += rules.one_of(policy, PULL_POLICIES, f"{at}.pullPolicy")
    return errors


_CHECKS: dict[str, sources.Check] = {
    "emptyDir": _empty_dir,
    "gitRepo": sources.needs("repository"),
    "secret": _secret,
    "persistentVolumeClaim": sources.needs("claimName"),
    "downwardAPI": _downward,
    "configMap": _config_map,
    "projected": _projected,
    **sources.BOTH,
    "csi": sources.csi_in_pod,
    "ephemeral": _ephemeral,
    "image": _image,
}


def mounts(container: Object, known: Mapping[str, Object], at: str) -> list[FieldError]:
    """A container's volumeMounts and volumeDevices, against the pod's volumes."""
    errors: list[FieldError] = []
    devices = container.get("volumeDevices") or []
    taken = {device.get("name"): device.get("devicePath") for device in devices}
    paths: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        here = f"{at}.volumeMounts[{index}]"
        errors += _mount(mount, known, paths, here)
        errors += _sub_path(mount, known, f"{at}.volumeMounts", here)
        if mount.get("name") in taken:
            errors.append(invalid(f"{here}.name", mount.get("name"), "must not already exist in volumeDevices"))
        if mount.get("mountPath") in taken.values():
            text = "must not already exist as a path in volumeDevices"
            errors.append(invalid(f"{here}.mountPath", mount.get("mountPath"), text))
        if (propagation := mount.get("mountPropagation")) is not None:
            errors += _propagation(propagation, container, f"{at}.volumeMounts.mountPropagation")
        if (recursive := mount.get("recursiveReadOnly")) is not None:
            errors += _recursive(recursive, mount, f"{at}.volumeMounts.recursiveReadOnly")
    if devices:
        mounted = {mount.get("name"): mount.get("mountPath") for mount in container.get("volumeMounts") or ()}
        errors += _devices(devices, mounted, known, f"{at}.volumeDevices")
    return errors


def _mount(mount: Object, known: Mapping[str, Object], paths: set[str], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    name, path = mount.get("name") or "", mount.get("mountPath") or ""
    if not name:
        errors.append(required(f"{at}.name"))
    if name not in known:
        errors.append(not_found(f"{at}.name", name))
    if not path:
        errors.append(required(f"{at}.mountPath"))
    if path in paths:
        errors.append(invalid(f"{at}.mountPath", path, "must be unique"))
    paths.add(path)
    return errors


def _sub_path(mount: Object, known: Mapping[str, Object], list_at: str, at: str) -> list[FieldError]:
    path, expression = mount.get("subPath"), mount.get("subPathExpr")
    if not path and not expression:
        return []
    errors: list[FieldError] = []
    if (known.get(mount.get("name") or "") or {}).get("image") is not None:
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                errors.append(invalid(f"{at}.{field}", mount[field], "not allowed in image volume sources"))
    if path:
        errors += sources.descending(path, f"{list_at}.subPath")
    if expression:
        if path:
            errors.append(invalid(f"{at}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive"))
        errors += sources.descending(expression, f"{list_at}.subPathExpr")
    return errors


def _propagation(mode: str, container: Object, at: str) -> list[FieldError]:
    errors = [] if mode in _PROPAGATION else [not_supported(at, mode, _PROPAGATION)]
    privileged = (container.get("securityContext") or {}).get("privileged")
    if mode == "Bidirectional" and not privileged:
        text = "Bidirectional mount propagation is available only to privileged containers"
        errors.append(forbidden(at, text))
    return errors


def _recursive(mode: str, mount: Object, at: str) -> list[FieldError]:
    """Whether what is mounted below is read-only, too."""
    if mode == "Disabled":
        return []
    if mode not in _RECURSIVE:
        return [not_supported(at, mode, _RECURSIVE)]
    errors = [] if mount.get("readOnly") else [forbidden(at, "may only be specified when readOnly is true")]
    if mount.get("mountPropagation") not in (None, "None"):
        text = "may only be specified when mountPropagation is None or not specified"
        errors.append(forbidden(at, text))
    return errors


def _devices(
    devices: list[Object], mounted: Mapping[Any, Any], known: Mapping[str, Object], at: str
) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, device in enumerate(devices):
        name, path = device.get("name") or "", device.get("devicePath") or ""
        here, before = f"{at}[{index}]", devices[:index]
        if not name:
            errors.append(required(f"{here}.name"))
        elif any(other.get("name") == name for other in before):
            errors.append(invalid(f"{here}.name", name, "must be unique"))
        if name not in known:
            errors.append(not_found(f"{here}.name", name))
        elif not any(known[name].get(kind) is not None for kind in _CLAIM_SOURCES):
            text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            errors.append(invalid(f"{here}.name", name, text))
        if not path:
            errors.append(required(f"{here}.devicePath"))
        elif any(other.get("devicePath") == path for other in before):
            errors.append(invalid(f"{here}.devicePath", path, "must be unique"))
        if path and sources.no_backsteps(path, ""):
            errors.append(invalid(f"{here}.devicePath", path, "can not contain backsteps ('..')"))
        if name in mounted:
            errors.append(invalid(f"{here}.name", name, "must not already exist in volumeMounts"))
        if path in mounted.values():
            text = "must not already exist as a path in volumeMounts"
            errors.append(invalid(f"{here}.devicePath", path, text))
    return errors
