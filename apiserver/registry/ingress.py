"""Ingress: which HTTP requests from outside go to which service."""

from __future__ import annotations

from datetime import datetime

from api.field import FieldError, invalid
from apiserver.registry import ingress_rules
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_FEW = 3


class IngressStrategy(StatusStrategy):
    has_generation = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"loadBalancer": {}}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = ingress_rules.spec(obj["spec"])
        name, given = _annotated(obj), obj["spec"].get("ingressClassName")
        if name is not None and given is not None and name != given:
            text = "must match `ingressClassName` when both are specified"
            errors.append(invalid(f"annotations.{CLASS_ANNOTATION}", name, text))
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return ingress_rules.spec(new["spec"])

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return ingress_rules.status(new.get("status") or {})

    def warnings(self, obj: Object) -> list[str]:
        if _annotated(obj) is None:
            return []
        return [f"annotation \"{CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead"]


def _annotated(obj: Object) -> str | None:
    return (obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)


def _class(obj: Object, now: datetime) -> str:
    return (obj.get("spec") or {}).get("ingressClassName") or NONE


def _hosts(obj: Object, now: datetime) -> str:
    hosts = [rule["host"] for rule in (obj.get("spec") or {}).get("rules") or () if rule.get("host")]
    if not hosts:
        return "*"
    shown = ",".join(hosts[:_FEW])
    return f"{shown} + {len(hosts) - _FEW} more..." if len(hosts) > _FEW else shown


def _address(obj: Object, now: datetime) -> str:
    points = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(point.get("ip") or point.get("hostname") or "" for point in points)


def _ports(obj: Object, now: datetime) -> str:
    return "80, 443" if (obj.get("spec") or {}).get("tls") else "80"


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="Ingress",
    plural="ingresses",
    definition="io.k8s.api.networking.v1.Ingress",
    singular="ingress",
    strategy=IngressStrategy(),
    short_names=("ing",),
    status=True,
    columns=(
        Column("Class", _class, description="The IngressClass whose controller sees to it."),
        Column("Hosts", _hosts, description="Hosts that incoming requests are matched against."),
        Column("Address", _address, description="Where it can be reached."),
        Column("Ports", _ports, description="Ports it listens on."),
    ),
)
