"""VolumeAttributesClass: changeable attributes of volumes, as their driver understands them."""

from __future__ import annotations

from datetime import datetime

from api.field import FieldError
from apiserver.registry import storage_rules
from apiserver.registry.columns import AGE, NAME
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

DEFAULT_ANNOTATIONS = ("volumeattributesclass.kubernetes.io/is-default-class",)


class VolumeAttributesClassStrategy(Strategy):
    returns_deleted = True

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = storage_rules.provisioner(obj.get("driverName") or "", "driverName")
        return errors + storage_rules.parameters(obj.get("parameters"), "parameters", needed=True)

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self.validate(new, ctx) + storage_rules.sealed(new, old, ("driverName", "parameters"))


def _name(obj: Object, now: datetime) -> str:
    return storage_rules.shown_name(obj, DEFAULT_ANNOTATIONS)


def _driver(obj: Object, now: datetime) -> str:
    return obj.get("driverName") or ""


KIND = Kind(
    group=storage_rules.GROUP,
    version="v1",
    kind="VolumeAttributesClass",
    plural="volumeattributesclasses",
    definition="io.k8s.api.storage.v1.VolumeAttributesClass",
    namespaced=False,
    singular="volumeattributesclass",
    strategy=VolumeAttributesClassStrategy(),
    short_names=("vac",),
    table="plain",
    columns=(
        Column("Name", _name, format="name", description=NAME.description),
        Column("DriverName", _driver, description="The driver that it is for."),
        AGE,
    ),
)
