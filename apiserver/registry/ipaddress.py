"""IPAddress: an address of the services' ranges, and who holds it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime

from api import names
from api.field import FieldError, required
from apiserver.registry import rules
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy


class IPAddressStrategy(Strategy):
    field_names = ("spec.parentRef.resource",)

    def validate_name(self, name: str) -> list[str]:
        try:
            canonical = str(ipaddress.ip_address(name))
        except ValueError:
            return [error.detail for error in rules.ip_address(name, "")]
        return [] if canonical == name else [f'must be in canonical form ("{canonical}")']

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        parent, at = obj["spec"].get("parentRef"), "spec.parentRef"
        if parent is None:
            return [required(at)]
        errors: list[FieldError] = []
        if parent.get("group"):
            errors += rules.each(names.dns1123_subdomain, parent["group"], f"{at}.group")
        for field in ("resource", "name", "namespace"):
            if parent.get(field):
                errors += rules.each(names.path_segment, parent[field], f"{at}.{field}")
            elif field != "namespace":
                errors.append(required(f"{at}.{field}"))
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        before = (old.get("spec") or {}).get("parentRef")
        return rules.immutable(new["spec"].get("parentRef"), before, "spec.parentRef")

    def fields(self, obj: Object) -> Mapping[str, str]:
        parent = (obj.get("spec") or {}).get("parentRef") or {}
        return {"spec.parentRef.resource": parent.get("resource") or ""}


def _parent(obj: Object, now: datetime) -> str:
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is None:
        return NONE
    group = f".{parent['group']}" if parent.get("group") else ""
    parts = (f"{parent.get('resource') or ''}{group}".lower(), parent.get("namespace"), parent.get("name") or "")
    return "/".join(part for part in parts if part is not None)


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="IPAddress",
    plural="ipaddresses",
    definition="io.k8s.api.networking.v1.IPAddress",
    namespaced=False,
    singular="ipaddress",
    strategy=IPAddressStrategy(),
    short_names=("ip",),
    columns=(Column("ParentRef", _parent, description="Who holds the address."),),
)
