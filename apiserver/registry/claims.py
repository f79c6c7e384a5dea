"""What volumes and the claims on them have in common, wherever a claim's spec stands: in a PersistentVolumeClaim, in a
StatefulSet's templates, or in a pod's ephemeral volume.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from api import names, quantity
from api.field import FieldError, forbidden, invalid, not_supported, required
from apiserver.registry import resources, rules
from apiserver.registry.columns import UNSET
from apiserver.registry.kind import Column, Object

ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
"""Each mode's short form, in the order in which tables name them."""
VOLUME_MODES = ("Block", "Filesystem")
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_ONE_POD = "ReadWriteOncePod"


def default_claim(spec: Object) -> None:
    if not spec.get("volumeMode"):
        spec["volumeMode"] = "Filesystem"
    asked = spec.get("resources") or {}
    for field in ("limits", "requests"):
        resources.default_list(asked.get(field))


def warnings(spec: Object, at: str) -> list[str]:
    """Sentences about a claim that is taken: only whole bytes can be had."""
    asked = spec.get("resources") or {}
    return [
        warning
        for field in ("requests", "limits")
        for warning in resources.fractions(asked.get(field), f"{at}.resources.{field}", ("storage",))
    ]


def class_warnings(obj: Object) -> list[str]:
    if CLASS_ANNOTATION not in (obj["metadata"].get("annotations") or {}):
        return []
    text = 'deprecated since v1.8; use "storageClassName" attribute instead'
    return [f"metadata.annotations[{CLASS_ANNOTATION}]: {text}"]


def access_modes(modes: Iterable[str], at: str) -> list[FieldError]:
    modes = list(modes)
    errors = [not_supported(at, mode, sorted(ACCESS_MODES)) for mode in modes if mode not in ACCESS_MODES]
    if _ONE_POD in modes and any(mode != _ONE_POD and mode in ACCESS_MODES for mode in modes):
        errors.append(forbidden(at, "may not use ReadWriteOncePod with other access modes"))
    return errors


def volume_mode(mode: str | None, at: str) -> list[FieldError]:
    return [] if mode is None or mode in VOLUME_MODES else [not_supported(at, mode, VOLUME_MODES)]


def class_name(name: str | None, at: str) -> list[FieldError]:
    return rules.each(names.dns1123_subdomain, name, at) if name else []


def positive(amount: Any, at: str) -> list[FieldError]:
    try:
        if quantity.parse(amount) > 0:
            return []
    except quantity.QuantityError as error:
        return [invalid(at, amount, str(error))]
    return [invalid(at, quantity.canonical(amount), "must be greater than zero")]


def claim(spec: Object, at: str) -> list[FieldError]:
    """A PersistentVolumeClaimSpec."""
    modes = spec.get("accessModes") or []
    errors = [] if modes else [required(f"{at}.accessModes", "at least 1 access mode is required")]
    errors += rules.label_selector(spec.get("selector"), f"{at}.selector")
    errors += access_modes(modes, f"{at}.accessModes")
    errors += _size(spec, f"{at}.resources[storage]")
    errors += class_name(spec.get("storageClassName"), f"{at}.storageClassName")
    errors += volume_mode(spec.get("volumeMode"), f"{at}.volumeMode")
    for field in ("dataSource", "dataSourceRef"):
        if source := spec.get(field):
            errors += _source(source, f"{at}.{field}")
    errors += _one_source(spec, at)
    return errors + class_name(spec.get("volumeAttributesClassName"), f"{at}.volumeAttributesClassName")


def _size(spec: Object, at: str) -> list[FieldError]:
    requests = (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        return [required(at)]
    return positive(requests["storage"], at) or resources.amount_errors("storage", requests["storage"], at)


def _source(source: Object, at: str) -> list[FieldError]:
    errors = [required(f"{at}.{name}") for name in ("name", "kind") if not source.get(name)]
    group, kind = source.get("apiGroup") or "", source.get("kind") or ""
    if not group and kind != "PersistentVolumeClaim":
        errors.append(invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
    if group:
        errors += rules.each(names.dns1123_subdomain, group, f"{at}.apiGroup")
    if namespace := source.get("namespace"):
        errors += rules.each(names.dns1123_label, namespace, f"{at}.namespace")
    return errors


def _one_source(spec: Object, at: str) -> list[FieldError]:
    old, new = spec.get("dataSource"), spec.get("dataSourceRef")
    if not old or not new:
        return []
    if new.get("namespace"):
        return [invalid(at, f"{at}.dataSource", "may not be specified when dataSourceRef.namespace is specified")]
    if all(old.get(name) == new.get(name) for name in ("apiGroup", "kind", "name")):
        return []
    return [invalid(at, f"{at}.dataSource", "must match dataSourceRef")]


def short_modes(modes: Iterable[str] | None) -> str:
    """`RWO,ROX`: each mode once, in their fixed order."""
    given = set(modes or ())
    return ",".join(short for mode, short in ACCESS_MODES.items() if mode in given)


def storage_class(obj: Object) -> str:
    """The class by its field or its older annotation, which wins."""
    annotated = (obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    return annotated if annotated is not None else (obj.get("spec") or {}).get("storageClassName") or ""


def _phase(obj: Object, now: datetime) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else (obj.get("status") or {}).get("phase") or ""


PHASE = Column("Status", _phase, description="Whether it is bound")
CLASS = Column("StorageClass", lambda obj, now: storage_class(obj), description="Its StorageClass")
ATTRIBUTES = Column(
    "VolumeAttributesClass",
    lambda obj, now: (obj.get("spec") or {}).get("volumeAttributesClassName") or UNSET,
    description="Its VolumeAttributesClass",
)
MODE = Column(
    "VolumeMode",
    lambda obj, now: (obj.get("spec") or {}).get("volumeMode") or UNSET,
    description="Whether it is a filesystem or a raw block device",
    priority=1,
)
