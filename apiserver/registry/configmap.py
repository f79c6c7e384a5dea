"""ConfigMap: plain configuration data."""

from __future__ import annotations

from datetime import datetime

from api import names
from api.field import FieldError, forbidden, invalid, too_long
from apiserver.registry import binary
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

LIMIT = 1024 * 1024
"""Bytes of all values together."""

SEALED = "field is immutable when `immutable` is set"


class ConfigMapStrategy(Strategy):
    def default(self, obj: Object) -> None:
        if obj.get("binaryData"):
            binary.check(obj["binaryData"], "ConfigMap")

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors: list[FieldError] = []
        data, other = obj.get("data") or {}, obj.get("binaryData") or {}
        total = 0
        for key, value in data.items():
            if wrong := names.config_key(key):
                errors += [invalid(f"data[{key}]", key, why) for why in wrong]
            if key in other:
                errors.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
            if value:
                total += len(value) if value.isascii() else len(value.encode())
        for key, value in other.items():
            errors += [invalid(f"binaryData[{key}]", key, why) for why in names.config_key(key)]
            total += binary.size(value)
        if total > LIMIT:
            errors.append(too_long("[]", "", LIMIT))  # the object as a whole
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return sealed(new, old, ("data", "binaryData")) + self.validate(new, ctx)


def sealed(new: Object, old: Object, fields: tuple[str, ...]) -> list[FieldError]:
    """What an object that says it is immutable does not let happen to it."""
    if not old.get("immutable"):
        return []
    errors = [] if new.get("immutable") else [forbidden("immutable", SEALED)]
    changed = (name for name in fields if (new.get(name) or {}) != (old.get(name) or {}))
    return errors + [forbidden(name, SEALED) for name in changed]


def _count(obj: Object, now: datetime) -> int:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


KIND = Kind(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    definition="io.k8s.api.core.v1.ConfigMap",
    singular="configmap",
    strategy=ConfigMapStrategy(),
    short_names=("cm",),
    columns=(Column("Data", _count, type="string", description="The number of entries"),),
)
