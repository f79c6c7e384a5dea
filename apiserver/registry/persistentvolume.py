"""PersistentVolume: storage that is there, for a claim to be bound to."""

from __future__ import annotations

import posixpath
from datetime import datetime
from typing import Any

from api.field import FieldError, forbidden, not_supported, required
from api.metadata import rfc3339
from apiserver.registry import claims, resources, rules
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy
from apiserver.registry.podspec import defaults, scheduling, sources, warnings

_RECLAIM = ("Delete", "Recycle", "Retain")
_MOVED = "lastPhaseTransitionTime"


class PersistentVolumeStrategy(StatusStrategy):
    returns_deleted = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        for name, value in (("persistentVolumeReclaimPolicy", "Retain"), ("volumeMode", "Filesystem")):
            if not spec.get(name):
                spec[name] = value
        resources.default_list(spec.get("capacity"))
        defaults.default_sources(spec)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"phase": "Pending", _MOVED: rfc3339(ctx.now)}

    def prepare_for_status_update(self, new: Object, old: Object, ctx: Context) -> None:
        status, before = new.setdefault("status", {}), old.get("status") or {}
        if status.get("phase") != before.get("phase") and status.get(_MOVED) in (None, before.get(_MOVED)):
            status[_MOVED] = rfc3339(ctx.now)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        modes = spec.get("accessModes") or []
        errors = [] if modes else [required("spec.accessModes")]
        errors += claims.access_modes(modes, "spec.accessModes")
        errors += _capacity(spec.get("capacity") or {}, "spec.capacity")
        policy = spec["persistentVolumeReclaimPolicy"]
        if policy not in _RECLAIM:
            errors.append(not_supported("spec.persistentVolumeReclaimPolicy", policy, _RECLAIM))
        affinity = spec.get("nodeAffinity")
        if affinity is not None:
            errors += _node_affinity(affinity, "spec.nodeAffinity")
        errors += sources.one_source(_given(spec), spec, sources.PERSISTENT, "spec")
        errors += _together(spec)
        errors += claims.class_name(spec.get("storageClassName"), "spec.storageClassName")
        errors += claims.volume_mode(spec.get("volumeMode"), "spec.volumeMode")
        return errors + _attributes(spec)

    def warnings(self, obj: Object) -> list[str]:
        spec, found = obj["spec"], claims.class_warnings(obj)
        if spec["persistentVolumeReclaimPolicy"] == "Recycle":
            text = "Instead, the recommended approach is to use dynamic provisioning."
            found.append(f"spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. {text}")
        terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or []
        found += warnings.old_labels(terms, "spec.nodeAffinity.required.nodeSelectorTerms")
        return found + list(warnings.old_source(spec, "spec"))

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        spec, before = new["spec"], old["spec"]
        source, was = _source(spec), _source(before)
        late = (source.get("csi") or {}).get("controllerExpandSecretRef")
        if late is not None and was.get("csi") and was["csi"].get("controllerExpandSecretRef") is None:
            source["csi"] = {**source["csi"], "controllerExpandSecretRef": None}
        if not rules.same(source, was):
            lines = "\n".join(rules.differences(source, was, "spec"))
            text = f"spec.persistentvolumesource is immutable after creation\n{lines}"
            errors.append(forbidden("spec.persistentvolumesource", text))
        errors += rules.immutable(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
        if before.get("nodeAffinity") is not None:
            errors += rules.immutable(spec.get("nodeAffinity"), before["nodeAffinity"], "nodeAffinity")
        if before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
            text = "update from non-nil value to nil is forbidden"
            errors.append(forbidden("spec.volumeAttributesClassName", text))
        return errors


def _given(spec: Object) -> list[str]:
    return [kind for kind in sources.PERSISTENT if spec.get(kind) is not None]


def _source(spec: Object) -> dict[str, Any]:
    return {kind: spec[kind] for kind in _given(spec)}


def _capacity(capacity: Object, at: str) -> list[FieldError]:
    errors = [] if capacity else [required(at)]
    if list(capacity) != ["storage"]:
        errors.append(not_supported(at, capacity, ("storage",)))
    for name, amount in capacity.items():
        errors += claims.positive(amount, f"{at}[{name}]")
    return errors


def _node_affinity(affinity: Object, at: str) -> list[FieldError]:
    if affinity.get("required") is None:
        return [required(f"{at}.required", "must specify required node constraints")]
    return scheduling.node_selector(affinity["required"], f"{at}.required")


def _together(spec: Object) -> list[FieldError]:
    """What a source demands of the rest of the spec."""
    errors: list[FieldError] = []
    if spec.get("local") is not None and not (spec.get("nodeAffinity") or {}).get("required"):
        errors.append(required("spec.nodeAffinity", "Local volume requires node affinity"))
    path = (spec.get("hostPath") or {}).get("path") or ""
    whole = path.startswith("/") and posixpath.normpath(f"/{path.lstrip('/')}") == "/"
    if whole and spec["persistentVolumeReclaimPolicy"] == "Recycle":
        text = "may not be 'recycle' for a hostPath mount of '/'"
        errors.append(forbidden("spec.persistentVolumeReclaimPolicy", text))
    return errors


def _attributes(spec: Object) -> list[FieldError]:
    name, at = spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    if name is None:
        return []
    errors = claims.class_name(name, at) if name else [required(at, "an empty string is disallowed")]
    if spec.get("csi") is None:
        errors.append(required("spec.csi", "has to be specified when using volumeAttributesClassName"))
    return errors


def _claim(obj: Object, now: datetime) -> str:
    claim = (obj.get("spec") or {}).get("claimRef")
    return f"{claim.get('namespace') or ''}/{claim.get('name') or ''}" if claim else ""


def _size(obj: Object, now: datetime) -> str:
    return ((obj.get("spec") or {}).get("capacity") or {}).get("storage") or "0"


KIND = Kind(
    group="",
    version="v1",
    kind="PersistentVolume",
    plural="persistentvolumes",
    definition="io.k8s.api.core.v1.PersistentVolume",
    singular="persistentvolume",
    strategy=PersistentVolumeStrategy(),
    namespaced=False,
    short_names=("pv",),
    status=True,
    columns=(
        Column("Capacity", _size, description="How much it holds"),
        Column(
            "Access Modes",
            lambda obj, now: claims.short_modes((obj.get("spec") or {}).get("accessModes")),
            description="How it can be mounted",
        ),
        Column(
            "Reclaim Policy",
            lambda obj, now: (obj.get("spec") or {}).get("persistentVolumeReclaimPolicy") or "",
            description="What becomes of it when its claim has gone",
        ),
        claims.PHASE,
        Column("Claim", _claim, description="The claim it is bound to"),
        claims.CLASS,
        claims.ATTRIBUTES,
        Column(
            "Reason",
            lambda obj, now: (obj.get("status") or {}).get("reason") or "",
            description="Why it is in its state",
        ),
        claims.MODE,
    ),
)
