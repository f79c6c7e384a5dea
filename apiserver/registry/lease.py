"""Lease: a heartbeat or a lock. Nodes write theirs every few seconds, so it is checked lightly."""

from __future__ import annotations

from datetime import datetime

from api.field import FieldError, invalid, required
from apiserver.registry import rules
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy


class LeaseStrategy(Strategy):
    allow_create_on_update = True
    allow_unconditional_update = False

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        errors: list[FieldError] = []
        seconds = spec.get("leaseDurationSeconds")
        if seconds is not None and seconds <= 0:
            errors.append(invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
        errors += rules.not_negative(spec, ("leaseTransitions",), "spec")
        strategy = spec.get("strategy")
        if strategy is not None:
            if not strategy:
                errors.append(required("spec.strategy"))
        elif spec.get("preferredHolder"):
            errors.append(
                invalid("spec.preferredHolder", spec["preferredHolder"], "must be empty if strategy is not set")
            )
        return errors


def _holder(obj: Object, now: datetime) -> str:
    return (obj.get("spec") or {}).get("holderIdentity") or ""


KIND = Kind(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    definition="io.k8s.api.coordination.v1.Lease",
    singular="lease",
    strategy=LeaseStrategy(),
    columns=(Column("Holder", _holder, description="Who holds the lease"),),
)
