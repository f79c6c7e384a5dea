"""ValidatingAdmissionPolicy: rules in CEL that requests are held to, once a binding says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from api import names
from api.field import FieldError, duplicate, invalid, not_supported, required
from apiserver.registry import rules
from apiserver.registry.kind import Context, Kind, Object
from apiserver.registry.policies import PARAM_KIND, PolicyStrategy, counted, problem_of

if TYPE_CHECKING:
    from apiserver.admission.policies.expressions import Scope

REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
ANNOTATIONS_LIMIT = 20
LONGEST_VALUE_EXPRESSION = 5 * 1024


class ValidatingPolicyStrategy(PolicyStrategy):
    """What there is to know of a policy is known when it is written, so its status says at once that it was seen."""

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = _observed(obj, 1, ctx)

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        if new.get("spec") == old.get("spec"):
            new["status"] = old.get("status") or {}
        else:
            generation = (old["metadata"].get("generation") or 0) + 1
            new["status"] = {**(old.get("status") or {}), **_observed(new, generation, ctx)}

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return rules.conditions((new.get("status") or {}).get("conditions") or [], "status.conditions")

    def check(self, obj: Object, scope: Scope) -> list[FieldError]:
        spec = obj.get("spec") or {}
        validations, annotations = spec.get("validations") or [], spec.get("auditAnnotations") or []
        if not validations and not annotations:
            why = "validations or auditAnnotations must contain at least one item"
            return [required("spec.validations", why), required("spec.auditAnnotations", why)]
        errors: list[FieldError] = []
        for index, validation in enumerate(validations):
            errors += _validation(validation, f"spec.validations[{index}]", scope)
        if len(annotations) > ANNOTATIONS_LIMIT:
            why = f"must not have more than {ANNOTATIONS_LIMIT} auditAnnotations"
            errors.append(invalid("spec.auditAnnotations", annotations, why))
        known: set[str] = set()
        for index, annotation in enumerate(annotations):
            at, key = f"spec.auditAnnotations[{index}]", annotation.get("key") or ""
            errors += _annotation(annotation, f"{obj['metadata'].get('name', '')}/{key}", at, scope)
            if key in known:
                errors.append(duplicate(f"{at}.key", key))
            known.add(key)
        return errors


def _observed(obj: Object, generation: int, ctx: Context) -> Object:
    from apiserver.admission.policies.typechecking import warnings

    found = warnings(obj.get("spec") or {}, ctx.kinds())
    return {"observedGeneration": generation, "typeChecking": {"expressionWarnings": found} if found else {}}


def _validation(raw: Mapping[str, Any], at: str, scope: Scope) -> Iterator[FieldError]:
    expression, message = raw.get("expression") or "", raw.get("message") or ""
    if not expression.strip():
        yield required(f"{at}.expression", "expression is not specified")
    elif why := problem_of(scope, expression, "bool"):
        yield invalid(f"{at}.expression", expression, why)
    composed = raw.get("messageExpression") or ""
    if composed and not composed.strip():
        yield invalid(f"{at}.messageExpression", composed, "must be non-empty if specified")
    elif composed and (why := problem_of(scope, composed, "string", authorizer=False)):
        yield invalid(f"{at}.messageExpression", composed, why)
    if message and not message.strip():
        yield invalid(f"{at}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip() or "\r" in message.strip():
        yield invalid(f"{at}.message", message, "message must not contain line breaks")
    if raw.get("reason") is not None and raw["reason"] not in REASONS:
        yield not_supported(f"{at}.reason", raw["reason"], REASONS)


def _annotation(raw: Mapping[str, Any], name: str, at: str, scope: Scope) -> Iterator[FieldError]:
    yield from rules.each(names.qualified_name, name, f"{at}.key")
    expression = (raw.get("valueExpression") or "").strip()
    if not expression:
        yield required(f"{at}.valueExpression", "valueExpression is not specified")
    elif len(expression) > LONGEST_VALUE_EXPRESSION:
        yield required(f"{at}.valueExpression", f"must not exceed {LONGEST_VALUE_EXPRESSION} bytes in length")
    elif why := problem_of(scope, expression, "string", "null"):
        yield invalid(f"{at}.valueExpression", raw["valueExpression"], why)


KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicy",
    plural="validatingadmissionpolicies",
    definition="io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    singular="validatingadmissionpolicy",
    strategy=ValidatingPolicyStrategy(),
    namespaced=False,
    status=True,
    categories=("api-extensions",),
    columns=(counted("Validations", "validations", "How many validations there are"), PARAM_KIND),
)
