"""MutatingAdmissionPolicy: changes in CEL that are made to objects as they are written, once a binding says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from api.field import FieldError, invalid, not_supported, required
from apiserver.registry.kind import Kind, Object
from apiserver.registry.policies import PARAM_KIND, PolicyStrategy, counted

if TYPE_CHECKING:
    from apiserver.admission.policies.expressions import Scope

PATCH_TYPES = ("ApplyConfiguration", "JSONPatch")
REINVOCATIONS = ("IfNeeded", "Never")


class MutatingPolicyStrategy(PolicyStrategy):
    def default(self, obj: Object) -> None:
        super().default(obj)
        obj["spec"].setdefault("reinvocationPolicy", "Never")

    def check(self, obj: Object, scope: Scope) -> list[FieldError]:
        spec = obj.get("spec") or {}
        errors: list[FieldError] = []
        if spec.get("reinvocationPolicy") not in REINVOCATIONS:
            errors.append(not_supported("spec.reinvocationPolicy", spec.get("reinvocationPolicy"), REINVOCATIONS))
        mutations = spec.get("mutations") or []
        if not mutations:
            errors.append(required("spec.mutations", "mutations must contain at least one item"))
        for index, mutation in enumerate(mutations):
            errors += _mutation(mutation, f"spec.mutations[{index}]", scope)
        return errors


def _mutation(raw: Mapping[str, Any], at: str, scope: Scope) -> Iterator[FieldError]:
    from apiserver.admission.policies.mutation import FIELDS, RESULTS
    from apiserver.cel import CelError

    kind = raw.get("patchType")
    if not kind:
        yield required(f"{at}.patchType")
        return
    if kind not in PATCH_TYPES:
        yield not_supported(f"{at}.patchType", kind, PATCH_TYPES)
        return
    for other, field in FIELDS.items():
        if other != kind and raw.get(field) is not None:
            yield invalid(f"{at}.{field}", raw[field], f"{field} must be unset when patchType is {kind}")
    expression = (raw.get(FIELDS[kind]) or {}).get("expression") or ""
    if not expression.strip():
        yield required(f"{at}.{FIELDS[kind]}.expression", "expression is not specified")
        return
    try:
        scope.mutation(expression, *RESULTS[kind])
    except CelError as error:
        yield invalid(f"{at}.{FIELDS[kind]}.expression", expression, str(error))


KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicy",
    plural="mutatingadmissionpolicies",
    definition="io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
    singular="mutatingadmissionpolicy",
    strategy=MutatingPolicyStrategy(),
    namespaced=False,
    categories=("api-extensions",),
    columns=(counted("Mutations", "mutations", "How many mutations there are"), PARAM_KIND),
)
