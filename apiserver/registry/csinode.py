"""CSINode: the storage drivers that a node has."""

from __future__ import annotations

from datetime import datetime

from api import names
from api.field import FieldError, duplicate, invalid, required
from apiserver.registry import rules, storage_rules
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

_ID_LENGTH = 256


class CSINodeStrategy(Strategy):
    allow_unconditional_update = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        if obj["spec"].get("drivers") is None:
            obj["spec"]["drivers"] = []

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors: list[FieldError] = []
        seen: set[str] = set()
        for index, driver in enumerate(obj["spec"]["drivers"]):
            at, name = f"spec.drivers[{index}]", driver.get("name") or ""
            errors += storage_rules.driver_name(name, f"{at}.name") + _driver(driver, at)
            if name in seen:
                errors.append(duplicate(f"{at}.name", name))
            seen.add(name)
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        before = {each.get("name"): _fixed(each) for each in (old.get("spec") or {}).get("drivers") or ()}
        errors = self.validate(new, ctx)
        for driver in new["spec"]["drivers"]:
            if driver.get("name") in before and not rules.same(_fixed(driver), before[driver.get("name")]):
                errors.append(invalid("spec.drivers", _fixed(driver), rules.IMMUTABLE))
        return errors


def _fixed(driver: Object) -> Object:
    """What of a driver stays: how many volumes it takes may change."""
    return {name: value for name, value in driver.items() if name != "allocatable"}


def _driver(driver: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    node = driver.get("nodeID") or ""
    if not node:
        errors.append(required(f"{at}.nodeID"))
    elif len(node) > _ID_LENGTH:
        errors.append(invalid(f"{at}.nodeID", node, f"must be {_ID_LENGTH} characters or less"))
    if allocatable := driver.get("allocatable"):
        errors += rules.not_negative(allocatable, ("count",), f"{at}.allocatable")
    keys = driver.get("topologyKeys") or []
    for index, key in enumerate(keys):
        if not key:
            errors.append(required(at))
        if key in keys[:index]:
            errors.append(duplicate(at, key))
        errors += rules.each(names.qualified_name, key, at)
    return errors


def _drivers(obj: Object, now: datetime) -> int:
    return len((obj.get("spec") or {}).get("drivers") or ())


KIND = Kind(
    group=storage_rules.GROUP,
    version="v1",
    kind="CSINode",
    plural="csinodes",
    definition="io.k8s.api.storage.v1.CSINode",
    namespaced=False,
    singular="csinode",
    strategy=CSINodeStrategy(),
    columns=(Column("Drivers", _drivers, type="integer", description="How many drivers the node has."),),
)
