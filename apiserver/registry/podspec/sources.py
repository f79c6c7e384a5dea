"""Where a volume's data comes from: the sources that pods name themselves and that persistent volumes stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from api import names
from api.field import FieldError, forbidden, invalid, not_supported, required, too_long
from apiserver.registry import rules
from apiserver.registry.kind import Object

Check = Callable[[Object, str], list[FieldError]]

ONE_TYPE = "may not specify more than 1 volume type"
_HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_DRIVER_LENGTH = 63
_IQN = re.compile(r"iqn\.\d{4}-\d{2}\.([a-z0-9.-]+)(:[^,;*&$|\s]+)\Z")
_EUI = re.compile(r"eui\.[0-9a-fA-F]{16}\Z")
_NAA = re.compile(r"naa\.[0-9a-fA-F]{32}\Z")
_RESERVED = (".kubernetes.io", ".k8s.io")
_DISK_KINDS = ("Dedicated", "Managed", "Shared")
_CACHING = ("None", "ReadOnly", "ReadWrite")


def one_source(given: list[str], holder: Object, checks: Mapping[str, Check], at: str) -> list[FieldError]:
    """Exactly one of the sources of `checks`, in whose order they are looked at."""
    if not given:
        return [required(at, "must specify a volume type")]
    order = list(checks)
    first, *others = sorted(given, key=order.index) if len(given) > 1 else given
    errors = checks[first](holder[first], f"{at}.{_CALLED.get(first, first)}")
    return errors + [forbidden(f"{at}.{kind}", ONE_TYPE) for kind in others]


_CALLED = {"gcePersistentDisk": "persistentDisk"}
"""What errors call a source, where that is not the field's name."""


def needs(*fields: str) -> Check:
    """A source that must have these fields, and whose other fields are its driver's business."""

    def check(source: Object, at: str) -> list[FieldError]:
        return [required(f"{at}.{field}") for field in fields if not source.get(field)]

    return check


def host_path(source: Object, at: str) -> list[FieldError]:
    path, kind = source.get("path"), source.get("type")
    if not path:
        return [required(f"{at}.path")]
    errors = no_backsteps(path, f"{at}.path")
    if kind is not None and kind not in _HOST_PATH_TYPES:
        errors.append(not_supported(f"{at}.type", kind, _HOST_PATH_TYPES))
    return errors


def nfs(source: Object, at: str) -> list[FieldError]:
    errors = needs("server", "path")(source, at)
    if not (source.get("path") or "").startswith("/"):
        errors.append(invalid(f"{at}.path", source.get("path") or "", "must be an absolute path"))
    return errors


def local(source: Object, at: str) -> list[FieldError]:
    path = source.get("path")
    return no_backsteps(path, f"{at}.path") if path else [required(f"{at}.path")]


def no_backsteps(path: str, at: str) -> list[FieldError]:
    return [invalid(at, path, "must not contain '..'")] if ".." in path.split("/") else []


def descending(path: str, at: str) -> list[FieldError]:
    errors = [invalid(at, path, "must be a relative path")] if path.startswith("/") else []
    return errors + no_backsteps(path, at)


def local_path(path: str, at: str) -> list[FieldError]:
    errors = descending(path, at)
    if path.startswith("..") and not path.startswith("../"):
        # The kubelet keeps its own bookkeeping in such names.
        errors.append(invalid(at, path, "must not start with '..'"))
    return errors


def driver_name(name: Any, at: str) -> list[FieldError]:
    """The name of a CSI driver."""
    errors = [] if name else [required(at)]
    if len(name or "") > _DRIVER_LENGTH:
        errors.append(too_long(at, name, _DRIVER_LENGTH))
    return errors + [invalid(at, name or "", why) for why in names.dns1123_subdomain((name or "").lower())]


def csi_in_pod(source: Object, at: str) -> list[FieldError]:
    errors = driver_name(source.get("driver"), f"{at}.driver")
    secret = source.get("nodePublishSecretRef")
    if secret is not None and not secret.get("name"):
        errors.append(required(f"{at}.nodePublishSecretRef.name"))
    elif secret is not None:
        errors += rules.each(names.dns1123_subdomain, secret["name"], f"{at}.name")
    return errors


def csi(source: Object, at: str) -> list[FieldError]:
    """That of a persistent volume, whose secrets are in any namespace."""
    errors = driver_name(source.get("driver"), f"{at}.driver")
    if not source.get("volumeHandle"):
        errors.append(required(f"{at}.volumeHandle"))
    for field in ("controllerPublish", "controllerExpand", "nodePublish", "nodeExpand"):
        secret, here = source.get(f"{field}SecretRef"), f"{at}.{field}SecretRef"
        if secret is None:
            continue
        for part, check in (("name", names.dns1123_subdomain), ("namespace", names.dns1123_label)):
            value = secret.get(part)
            errors += rules.each(check, value, f"{here}.{part}") if value else [required(f"{here}.{part}")]
    return errors


def _partition(field: str) -> Check:
    def check(source: Object, at: str) -> list[FieldError]:
        errors = needs(field)(source, at)
        partition = source.get("partition") or 0
        return errors + rules.in_range(partition, 0, 255, f"{at}.partition")

    return check


def _iscsi(source: Object, at: str) -> list[FieldError]:
    errors = needs("targetPortal")(source, at)
    iqn, initiator = source.get("iqn"), source.get("initiatorName")
    errors += _initiator(iqn, f"{at}.iqn") if iqn else [required(f"{at}.iqn")]
    errors += rules.in_range(source.get("lun") or 0, 0, 255, f"{at}.lun")
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        errors.append(required(f"{at}.secretRef"))
    return errors + (_initiator(initiator, f"{at}.initiatorname") if initiator is not None else [])


def _initiator(name: str, at: str) -> list[FieldError]:
    for prefix, pattern in (("iqn", _IQN), ("eui", _EUI), ("naa", _NAA)):
        if name.startswith(prefix):
            return [] if pattern.match(name) else [invalid(at, name, "must be valid format")]
    return [invalid(at, name, "must be valid format starting with iqn, eui, or naa")]


def _fc(source: Object, at: str) -> list[FieldError]:
    targets, ids, lun = source.get("targetWWNs") or [], source.get("wwids") or [], source.get("lun")
    errors: list[FieldError] = []
    if not targets and not ids:
        errors.append(required(f"{at}.targetWWNs", "must specify either targetWWNs or wwids, but not both"))
    if targets and ids:
        text = "targetWWNs and wwids can not be specified simultaneously"
        errors.append(invalid(f"{at}.targetWWNs", targets, text))
    if targets and lun is None:
        errors.append(required(f"{at}.lun", "lun is required if targetWWNs is specified"))
    elif targets:
        errors += rules.in_range(lun or 0, 0, 255, f"{at}.lun")
    return errors


def _flocker(source: Object, at: str) -> list[FieldError]:
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID")
    errors: list[FieldError] = []
    if not name and not uuid:
        errors.append(required(at, "one of datasetName and datasetUUID is required"))
    if name and uuid:
        errors.append(invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously"))
    if "/" in name:
        errors.append(invalid(f"{at}.datasetName", name, "must not contain '/'"))
    return errors


def _flex(source: Object, at: str) -> list[FieldError]:
    errors = needs("driver")(source, at)
    for key in source.get("options") or ():
        if f".{key.partition('/')[0].lower()}".endswith(_RESERVED):
            text = "kubernetes.io and k8s.io namespaces are reserved"
            errors.append(invalid(f"{at}.options[{key}]", key, text))
    return errors


def _azure_disk(source: Object, at: str) -> list[FieldError]:
    errors = needs("diskName", "diskURI")(source, at)
    uri, kind = source.get("diskURI") or "", source.get("kind")
    for field, supported in (("cachingMode", _CACHING), ("kind", _DISK_KINDS)):
        if source.get(field) is not None and source[field] not in supported:
            errors.append(not_supported(f"{at}.{field}", source[field], supported))
    managed = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
    blob = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        errors.append(not_supported(f"{at}.diskURI", uri, (managed,)))
    if kind not in (None, "Managed") and not uri.startswith("https://"):
        errors.append(not_supported(f"{at}.diskURI", uri, (blob,)))
    return errors


def _quobyte(source: Object, at: str) -> list[FieldError]:
    pairs = "must be a host:port pair or multiple pairs separated by commas"
    registry = source.get("registry") or ""
    errors: list[FieldError] = []
    if not registry:
        errors.append(required(f"{at}.registry", pairs))
    elif len(source.get("tenant") or "") >= 65:
        errors.append(required(f"{at}.tenant", "must be a UUID and may not exceed a length of 64 characters"))
    elif not all(":" in pair for pair in registry.split(",")):
        errors.append(invalid(f"{at}.registry", registry, pairs))
    return errors + needs("volume")(source, at)


def _storageos(source: Object, at: str) -> list[FieldError]:
    errors = needs("volumeName")(source, at)
    for field in ("volumeName", "volumeNamespace"):
        if source.get(field):
            errors += rules.each(names.dns1123_label, source[field], f"{at}.{field}")
    return errors


BOTH: dict[str, Check] = {
    "hostPath": host_path,
    "gcePersistentDisk": _partition("pdName"),
    "awsElasticBlockStore": _partition("volumeID"),
    "glusterfs": needs("endpoints", "path"),
    "flocker": _flocker,
    "nfs": nfs,
    "rbd": needs("monitors", "image"),
    "quobyte": _quobyte,
    "cephfs": needs("monitors"),
    "iscsi": _iscsi,
    "cinder": needs("volumeID"),
    "fc": _fc,
    "flexVolume": _flex,
    "azureFile": needs("secretName", "shareName"),
    "vsphereVolume": needs("volumePath"),
    "photonPersistentDisk": needs("pdID"),
    "portworxVolume": needs("volumeID"),
    "azureDisk": _azure_disk,
    "scaleIO": needs("gateway", "system", "volumeName"),
    "storageos": _storageos,
}
"""The sources of a pod's volume that a persistent volume may have, too."""
PERSISTENT: dict[str, Check] = {**BOTH, "local": local, "csi": csi}
