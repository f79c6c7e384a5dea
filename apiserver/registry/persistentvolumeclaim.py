"""PersistentVolumeClaim: a request for storage, and once it is bound the storage itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api import names, quantity
from api.field import FieldError, forbidden, invalid, not_supported
from apiserver.registry import claims, resources, rules
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

_RESIZES = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
)


class PersistentVolumeClaimStrategy(StatusStrategy):
    returns_deleted = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        claims.default_claim(spec)
        _say_source_twice(spec)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"phase": "Pending"}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        return claims.claim(obj["spec"], "spec")

    def warnings(self, obj: Object) -> list[str]:
        return claims.class_warnings(obj) + claims.warnings(obj["spec"], "spec")

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        upgraded, found = _class_change(new, old)
        errors += found
        wanted, before = _kept(new["spec"], upgraded), _kept(old["spec"], upgraded)
        if not before.get("volumeName"):
            before["volumeName"] = wanted.get("volumeName")
        if (old.get("status") or {}).get("phase") == "Bound":
            wanted["resources"] = _with_storage(wanted.get("resources"), _storage(before))
        if not rules.same(wanted, before):
            lines = "\n".join(rules.differences(wanted, before, "spec"))
            text = (
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
                f"claims\n{lines}"
            )
            errors.append(forbidden("spec", text))
        errors += _smaller(new["spec"], old)
        errors += rules.immutable(new["spec"].get("volumeMode"), old["spec"].get("volumeMode"), "volumeMode")
        return errors + _attributes(new["spec"], old["spec"])

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        status = new.get("status") or {}
        errors: list[FieldError] = []
        for name, amount in (status.get("capacity") or {}).items():
            errors += _basic(amount, f"status.capacity[{name}]")
        at = "status.allocatedResourceStatus"
        for name, state in (status.get("allocatedResourceStatuses") or {}).items():
            errors += _storage_name(name, at)
            if state not in _RESIZES:
                errors.append(not_supported(at, name, _RESIZES))
        at = "status.allocatedResources"
        for name, amount in (status.get("allocatedResources") or {}).items():
            found = _storage_name(name, at)
            errors += found or resources.amount_errors("storage", amount, f"{at}[{name}]")
        return errors


def _say_source_twice(spec: Object) -> None:
    """What a claim is filled from, in its older and its newer field. One from another namespace has only the newer."""
    old, new = spec.get("dataSource"), spec.get("dataSourceRef")
    if new and new.get("namespace"):
        return
    if old and not new:
        spec["dataSourceRef"] = dict(old)
    elif new and not old:
        spec["dataSource"] = {key: value for key, value in new.items() if key != "namespace"}


def _class_change(new: Object, old: Object) -> tuple[bool, list[FieldError]]:
    """(whether the class may be set now that was not set before, what is wrong with its annotation)."""
    name, before = new["spec"].get("storageClassName"), old["spec"].get("storageClassName")
    annotation, was = ((obj["metadata"].get("annotations") or {}).get(claims.CLASS_ANNOTATION) for obj in (new, old))
    from_nothing = name is not None and before is None
    if from_nothing and was is not None and name == was and annotation in (None, was):
        return True, []
    at = f"metadata.annotations[{claims.CLASS_ANNOTATION}]"
    errors = [] if annotation == was else [invalid(at, annotation or "", rules.IMMUTABLE)]
    return from_nothing and was in (None, name), errors


def _kept(spec: Object, upgraded: bool) -> Object:
    """What an update may not change, whatever else."""
    without = {"volumeAttributesClassName"} | ({"storageClassName"} if upgraded else set())
    return {name: value for name, value in spec.items() if name not in without}


def _storage(spec: Object) -> Any:
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage")


def _with_storage(asked: Object | None, amount: Any) -> Object:
    asked = asked or {}
    return {**asked, "requests": {**(asked.get("requests") or {}), "storage": amount}}


def _smaller(spec: Object, old: Object) -> list[FieldError]:
    """A claim that could not grow may be made smaller again, but not smaller than what it has."""
    has = ((old.get("status") or {}).get("capacity") or {}).get("storage") or "0"
    try:
        wanted, before = quantity.parse(_storage(spec) or "0"), quantity.parse(_storage(old["spec"]) or "0")
        if wanted >= before or wanted > quantity.parse(has):
            return []
    except quantity.QuantityError:
        return []  # said where the amount itself is checked
    return [forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")]


def _attributes(spec: Object, before: Object) -> list[FieldError]:
    name, was = spec.get("volumeAttributesClassName"), before.get("volumeAttributesClassName")
    if was is None or name == was or name:
        return []
    what = "nil" if name is None else "an empty string"
    return [forbidden("spec.volumeAttributesClassName", f"update from non-nil value to {what} is forbidden")]


def _basic(amount: Any, at: str) -> list[FieldError]:
    try:
        if quantity.parse(amount) >= 0:
            return []
    except quantity.QuantityError as error:
        return [invalid(at, amount, str(error))]
    return [invalid(at, quantity.canonical(amount), "must be a valid resource quantity")]


def _storage_name(name: str, at: str) -> list[FieldError]:
    if wrong := names.qualified_name(name):
        return [invalid(at, name, why) for why in wrong]
    native = "/" not in name or "kubernetes.io/" in name
    return [not_supported(at, name, ("storage",))] if native and name != "storage" else []


def _bound(obj: Object, name: str) -> Any:
    """A fact of the status that means something once there is a volume."""
    return (obj.get("status") or {}).get(name) if (obj.get("spec") or {}).get("volumeName") else None


def _size(obj: Object, now: datetime) -> str:
    capacity = _bound(obj, "capacity")
    return (capacity or {}).get("storage") or ("" if capacity is None else "0")


KIND = Kind(
    group="",
    version="v1",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    definition="io.k8s.api.core.v1.PersistentVolumeClaim",
    singular="persistentvolumeclaim",
    strategy=PersistentVolumeClaimStrategy(),
    short_names=("pvc",),
    status=True,
    columns=(
        claims.PHASE,
        Column("Volume", lambda obj, now: (obj.get("spec") or {}).get("volumeName") or "", description="Its volume"),
        Column("Capacity", _size, description="How much it holds"),
        Column(
            "Access Modes",
            lambda obj, now: claims.short_modes(_bound(obj, "accessModes")),
            description="How it can be mounted",
        ),
        claims.CLASS,
        claims.ATTRIBUTES,
        claims.MODE,
    ),
)
