"""CSIStorageCapacity: how much space a driver has, for a class and a part of the cluster."""

from __future__ import annotations

from datetime import datetime

from api import names, quantity
from api.field import FieldError, invalid
from apiserver.registry import resources, rules, storage_rules
from apiserver.registry.columns import NAME, UNSET
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

_AMOUNTS = ("capacity", "maximumVolumeSize")


class CSIStorageCapacityStrategy(Strategy):
    allow_unconditional_update = False

    def default(self, obj: Object) -> None:
        for name in _AMOUNTS:
            if obj.get(name) is not None:
                obj[name] = resources.canonical(obj[name])

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = rules.each(names.dns1123_subdomain, obj.get("storageClassName"), "storageClassName")
        for name in _AMOUNTS:
            if obj.get(name) is not None:
                errors += _amount(obj[name], name)
        return errors + rules.label_selector(obj.get("nodeTopology"), "nodeTopology")

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        for name in ("nodeTopology", "storageClassName"):
            errors += rules.immutable(new.get(name), old.get(name), name)
        return errors


def _amount(amount: str, at: str) -> list[FieldError]:
    try:
        return [invalid(at, amount, rules.NOT_NEGATIVE)] if quantity.parse(amount) < 0 else []
    except quantity.QuantityError as error:
        return [invalid(at, amount, str(error))]


def _class(obj: Object, now: datetime) -> str:
    return obj.get("storageClassName") or ""


def _capacity(obj: Object, now: datetime) -> str:
    return obj.get("capacity") or UNSET


KIND = Kind(
    group=storage_rules.GROUP,
    version="v1",
    kind="CSIStorageCapacity",
    plural="csistoragecapacities",
    definition="io.k8s.api.storage.v1.CSIStorageCapacity",
    singular="csistoragecapacity",
    strategy=CSIStorageCapacityStrategy(),
    table="plain",
    columns=(
        NAME,
        Column("StorageClassName", _class, description="The class it is about."),
        Column("Capacity", _capacity, description="How much space there is."),
    ),
)
