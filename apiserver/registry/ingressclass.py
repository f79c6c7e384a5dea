"""IngressClass: which controller sees to an Ingress."""

from __future__ import annotations

from datetime import datetime

from api import names
from api.field import FieldError, forbidden, not_supported, required, too_long
from apiserver.registry import ingress_rules, rules
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

_LONGEST = 250
_SCOPES = ("Cluster", "Namespace")


class IngressClassStrategy(Strategy):
    has_generation = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        parameters = obj["spec"].get("parameters")
        if parameters is not None and parameters.get("scope") is None:
            parameters["scope"] = "Cluster"

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        controller = spec.get("controller") or ""
        errors = [too_long("spec.controller", "", _LONGEST)] if len(controller) > _LONGEST else []
        errors += rules.domain_prefixed_path(controller, "spec.controller")
        if spec.get("parameters") is not None:
            errors += _parameters(spec["parameters"], "spec.parameters")
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        now, before = new["spec"].get("controller"), (old.get("spec") or {}).get("controller")
        return rules.immutable(now, before, "spec.controller") + self.validate(new, ctx)


def _parameters(value: Object, at: str) -> list[FieldError]:
    errors = ingress_rules.reference(value, at)
    scope, namespace = value.get("scope"), value.get("namespace")
    if scope not in _SCOPES:
        errors.append(not_supported(f"{at}.scope", scope, _SCOPES))
    elif scope == "Cluster" and namespace is not None:
        errors.append(forbidden(f"{at}.namespace", "`parameters.scope` is set to 'Cluster'"))
    elif scope == "Namespace" and namespace is None:
        errors.append(required(f"{at}.namespace", "`parameters.scope` is set to 'Namespace'"))
    elif scope == "Namespace":
        errors += rules.each(names.dns1123_label, namespace, f"{at}.namespace")
    return errors


def _controller(obj: Object, now: datetime) -> str:
    return (obj.get("spec") or {}).get("controller") or ""


def _parameters_cell(obj: Object, now: datetime) -> str:
    value = (obj.get("spec") or {}).get("parameters")
    if value is None:
        return NONE
    group = value.get("apiGroup")
    kind = f"{value.get('kind') or ''}.{group}" if group is not None else value.get("kind") or ""
    return f"{kind}/{value.get('name') or ''}"


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="IngressClass",
    plural="ingressclasses",
    definition="io.k8s.api.networking.v1.IngressClass",
    namespaced=False,
    singular="ingressclass",
    strategy=IngressClassStrategy(),
    columns=(
        Column("Controller", _controller, description="The controller that sees to Ingresses of this class."),
        Column("Parameters", _parameters_cell, description="An object with more configuration for it."),
    ),
)
