"""StorageClass: a way to make volumes, and what becomes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api import names
from api.field import FieldError, duplicate, not_supported, required
from apiserver.registry import rules, storage_rules
from apiserver.registry.columns import AGE, NAME
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_RECLAIM = ("Delete", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")


class StorageClassStrategy(Strategy):
    returns_deleted = True

    def default(self, obj: Object) -> None:
        if obj.get("reclaimPolicy") is None:
            obj["reclaimPolicy"] = "Delete"
        if obj.get("volumeBindingMode") is None:
            obj["volumeBindingMode"] = "Immediate"

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = storage_rules.provisioner(obj.get("provisioner") or "", "provisioner")
        errors += storage_rules.parameters(obj.get("parameters"), "parameters")
        if obj["reclaimPolicy"] and obj["reclaimPolicy"] not in _RECLAIM:
            errors.append(not_supported("reclaimPolicy", obj["reclaimPolicy"], _RECLAIM))
        if obj["volumeBindingMode"] not in _BINDING:
            errors.append(not_supported("volumeBindingMode", obj["volumeBindingMode"], _BINDING))
        return errors + _topologies(obj.get("allowedTopologies") or [])

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        errors += storage_rules.sealed(new, old, ("parameters", "provisioner", "reclaimPolicy"))
        return errors + rules.immutable(new["volumeBindingMode"], old.get("volumeBindingMode"), "volumeBindingMode")


def _topologies(terms: list[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: list[dict[str, set[str]]] = []
    for index, term in enumerate(terms):
        at = f"allowedTopologies[{index}]"
        expressions = term.get("matchLabelExpressions") or []
        errors += _expressions(expressions, f"{at}.matchLabelExpressions")
        means = {each.get("key") or "": set(each.get("values") or ()) for each in expressions}
        if means in seen:
            errors.append(duplicate(f"{at}.matchLabelExpressions", ""))
        seen.append(means)
    return errors


def _expressions(expressions: list[Object], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    keys: set[str] = set()
    for index, each in enumerate(expressions):
        here, key, values = f"{at}[{index}]", each.get("key") or "", each.get("values") or []
        if not values:
            errors.append(required(f"{here}.values"))
        errors += [duplicate(f"{here}.values[{n}]", value) for n, value in enumerate(values) if value in values[:n]]
        errors += rules.each(names.qualified_name, key, f"{here}.key")
        if key in keys:
            errors.append(duplicate(f"{here}.key", key))
        keys.add(key)
    return errors


def is_default(obj: Object) -> bool:
    given = obj["metadata"].get("annotations") or {}
    return any(given.get(annotation) == "true" for annotation in DEFAULT_ANNOTATIONS)


def _name(obj: Object, now: datetime) -> str:
    return storage_rules.shown_name(obj, DEFAULT_ANNOTATIONS)


def _text(field: str, default: str = "") -> Any:
    return lambda obj, now: obj.get(field) or default


def _expands(obj: Object, now: datetime) -> bool:
    return bool(obj.get("allowVolumeExpansion"))


KIND = Kind(
    group=storage_rules.GROUP,
    version="v1",
    kind="StorageClass",
    plural="storageclasses",
    definition="io.k8s.api.storage.v1.StorageClass",
    namespaced=False,
    singular="storageclass",
    strategy=StorageClassStrategy(),
    short_names=("sc",),
    table="plain",
    columns=(
        Column("Name", _name, format="name", description=NAME.description),
        Column("Provisioner", _text("provisioner"), description="Who makes the volumes."),
        Column("ReclaimPolicy", _text("reclaimPolicy", "Delete"), description="What becomes of a volume given back."),
        Column("VolumeBindingMode", _text("volumeBindingMode", "Immediate"), description="When a volume is bound."),
        Column("AllowVolumeExpansion", _expands, description="Whether volumes may grow."),
        AGE,
    ),
)
