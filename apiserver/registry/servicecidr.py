"""ServiceCIDR: a range that services get their addresses from."""

from __future__ import annotations

from datetime import datetime

from api.field import FieldError, invalid, required
from apiserver.registry import rules
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

_AT = "spec.cidrs"
_ONE_EACH = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96"


class ServiceCIDRStrategy(StatusStrategy):
    has_generation = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        cidrs = obj["spec"].get("cidrs") or []
        if not cidrs:
            return [required(_AT, "at least one CIDR required")]
        if len(cidrs) > 2:
            return [invalid(_AT, obj["spec"], "may only hold up to 2 values")]
        errors = [error for index, cidr in enumerate(cidrs) for error in rules.cidr(cidr, f"{_AT}[{index}]")]
        if len(cidrs) == 2 and (errors or (":" in cidrs[0]) == (":" in cidrs[1])):
            return [invalid(_AT, obj["spec"], _ONE_EACH)]
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        cidrs, before = new["spec"].get("cidrs") or [], (old.get("spec") or {}).get("cidrs") or []
        if len(cidrs) < len(before):
            return [invalid(_AT, cidrs, rules.IMMUTABLE)]
        pairs = enumerate(zip(cidrs, before, strict=False))
        changed = [invalid(f"{_AT}[{index}]", now, rules.IMMUTABLE) for index, (now, then) in pairs if now != then]
        return changed + (self.validate(new, ctx) if len(cidrs) != len(before) else [])


def _cidrs(obj: Object, now: datetime) -> str:
    return ",".join((obj.get("spec") or {}).get("cidrs") or ())


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="ServiceCIDR",
    plural="servicecidrs",
    definition="io.k8s.api.networking.v1.ServiceCIDR",
    namespaced=False,
    singular="servicecidr",
    strategy=ServiceCIDRStrategy(),
    status=True,
    columns=(Column("CIDRs", _cidrs, description="The ranges, one for each address family."),),
)
