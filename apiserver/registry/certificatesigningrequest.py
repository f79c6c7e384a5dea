"""CertificateSigningRequest: somebody asks for a certificate, somebody approves, somebody signs.

Each of the three has a way of their own to write: the object itself when it is made, `approval`, and `status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from api.field import FieldError
from api.metadata import rfc3339
from apiserver.registry import binary
from apiserver.registry import certificate_rules as checks
from apiserver.registry.columns import AGE, NAME, NONE, human_duration
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

_KIND = "CertificateSigningRequest"


class CertificateStrategy(Strategy):
    field_names = ("spec.signerName",)

    def validate_name(self, name: str) -> list[str]:
        return []

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        binary.check({"request": obj["spec"].get("request")}, _KIND)
        binary.check({"certificate": (obj.get("status") or {}).get("certificate")}, _KIND)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        spec = obj["spec"]
        asked_by = {
            "username": ctx.user,
            "uid": ctx.uid,
            "groups": list(ctx.groups),
            "extra": {key: list(values) for key, values in ctx.extra.items()},
        }
        for name, value in asked_by.items():
            spec.pop(name, None)
            if value:
                spec[name] = value
        obj["status"] = {}

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        new["spec"], new["status"] = old["spec"], old.get("status") or {}

    def prepare_for_status_update(self, new: Object, old: Object, ctx: Context) -> None:
        _date_conditions(new, old, ctx.now)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        return checks.spec(obj["spec"])

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return []

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return _status_errors(new, old, approves=False)

    def fields(self, obj: Object) -> Mapping[str, str]:
        return {"spec.signerName": (obj.get("spec") or {}).get("signerName") or ""}


class ApprovalStrategy(CertificateStrategy):
    """The way of those who approve and deny: conditions, and nothing else."""

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        new["spec"] = old["spec"]
        if new.get("status") is None:
            new["status"] = {}
        _date_conditions(new, old, ctx.now)

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return _status_errors(new, old, approves=True)


def _status_errors(new: Object, old: Object, *, approves: bool) -> list[FieldError]:
    status, before = new.get("status") or {}, old.get("status") or {}
    now, then = status.get("conditions") or [], before.get("conditions") or []
    issued, given = status.get("certificate") or "", before.get("certificate") or ""
    errors = checks.conditions(now) + checks.certificate(issued)
    errors += checks.kept_conditions(now, then, approves=approves)
    return errors + checks.kept_certificate(issued, given, signs=not approves)


def _date_conditions(new: Object, old: Object, now: datetime) -> None:
    """Conditions without times get them; one that stays as it was keeps the time of its last transition."""
    before = {
        (each.get("type"), each.get("status")): each.get("lastTransitionTime")
        for each in (old.get("status") or {}).get("conditions") or ()
    }
    for condition in (new.get("status") or {}).get("conditions") or ():
        if not condition.get("lastUpdateTime"):
            condition["lastUpdateTime"] = rfc3339(now)
        if not condition.get("lastTransitionTime"):
            kept = before.get((condition.get("type"), condition.get("status")))
            condition["lastTransitionTime"] = kept or rfc3339(now)


def _signer(obj: Object, now: datetime) -> str:
    return (obj.get("spec") or {}).get("signerName") or NONE


def _requestor(obj: Object, now: datetime) -> str:
    return (obj.get("spec") or {}).get("username") or ""


def _duration(obj: Object, now: datetime) -> str:
    seconds = (obj.get("spec") or {}).get("expirationSeconds")
    return NONE if seconds is None else human_duration(seconds)


def _condition(obj: Object, now: datetime) -> str:
    status = obj.get("status") or {}
    found = {each.get("type") for each in status.get("conditions") or ()}
    decided = next((kind for kind in (checks.DENIED, checks.APPROVED) if kind in found), "Pending")
    failed = f",{checks.FAILED}" if checks.FAILED in found else ""
    return f"{decided}{failed}{',Issued' if status.get('certificate') else ''}"


KIND = Kind(
    group="certificates.k8s.io",
    version="v1",
    kind=_KIND,
    plural="certificatesigningrequests",
    definition="io.k8s.api.certificates.v1.CertificateSigningRequest",
    namespaced=False,
    singular="certificatesigningrequest",
    strategy=CertificateStrategy(),
    short_names=("csr",),
    status=True,
    parts={"approval": ApprovalStrategy()},
    table="plain",
    columns=(
        NAME,
        AGE,
        Column("SignerName", _signer, description="Who is asked to sign."),
        Column("Requestor", _requestor, description="Who asks."),
        Column("RequestedDuration", _duration, description="For how long."),
        Column("Condition", _condition, description="What has become of it."),
    ),
)
