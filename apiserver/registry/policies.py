"""What the kinds of admission policy share: defaults and checks of matching, parameters, variables, bindings.

An expression that does not compile is refused with the compiler's words; the compiler is imported when the first policy
is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api import names
from api.field import FieldError, duplicate, forbidden, invalid, not_supported, required
from apiserver.registry import admissionrules, rules
from apiserver.registry.kind import Column, Context, Object, Strategy

if TYPE_CHECKING:
    from apiserver.admission.policies.expressions import Scope

NOT_FOUND_ACTIONS = ("Deny", "Allow")
UNSET = "<unset>"

_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*\Z")


class PolicyStrategy(Strategy):
    """A policy of any kind. `check` adds what is special to one."""

    has_generation = True
    allow_unconditional_update = False

    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("failurePolicy", "Fail")
        _default_matching(spec.get("matchConstraints"))

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        from apiserver.admission.policies.expressions import Scope

        spec = obj.get("spec") or {}
        scope = Scope(spec)
        errors = list(_policy(spec))
        errors += admissionrules.validate_conditions(
            spec.get("matchConditions"), "spec.matchConditions", lambda text: problem_of(scope, text, "bool")
        )
        errors += _variables(spec, scope)
        return errors + self.check(obj, scope)

    def check(self, obj: Object, scope: Scope) -> list[FieldError]:
        return []


class BindingStrategy(Strategy):
    """A policy's binding of any kind."""

    has_generation = True
    allow_unconditional_update = False

    def default(self, obj: Object) -> None:
        spec = obj.get("spec") or {}
        _default_matching(spec.get("matchResources"))
        if isinstance(spec.get("paramRef"), dict):
            spec["paramRef"].setdefault("parameterNotFoundAction", "Deny")

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj.get("spec") or {}
        name = spec.get("policyName") or ""
        errors = rules.each(names.dns1123_subdomain, name, "spec.policyName") if name else [required("spec.policyName")]
        errors += _param_ref(spec.get("paramRef"), "spec.paramRef")
        return errors + _match_resources(spec.get("matchResources"), "spec.matchResources")


def problem_of(scope: Scope, expression: str, *returns: str, authorizer: bool = True) -> str:
    """Why an expression is none, or nothing."""
    from apiserver.cel import CelError

    try:
        scope.compile(expression, *returns, authorizer=authorizer)
    except CelError as error:
        return str(error)
    return ""


def _default_matching(matching: Any) -> None:
    if not isinstance(matching, dict):
        return
    matching.setdefault("matchPolicy", "Equivalent")
    matching.setdefault("namespaceSelector", {})
    matching.setdefault("objectSelector", {})
    admissionrules.default_rules(matching.get("resourceRules"))
    admissionrules.default_rules(matching.get("excludeResourceRules"))


def _policy(spec: Mapping[str, Any]) -> Iterator[FieldError]:
    failure = spec.get("failurePolicy")
    if failure not in admissionrules.FAILURE_POLICIES:
        yield not_supported("spec.failurePolicy", failure, admissionrules.FAILURE_POLICIES)
    if spec.get("paramKind") is not None:
        yield from _param_kind(spec["paramKind"], "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield required("spec.matchConstraints")
        return
    yield from _match_resources(constraints, "spec.matchConstraints")
    if not constraints.get("resourceRules"):
        yield required("spec.matchConstraints.resourceRules")


def _match_resources(matching: Mapping[str, Any] | None, at: str) -> list[FieldError]:
    if matching is None:
        return []
    errors = admissionrules.validate_matching(matching, at)
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(matching.get(field) or ()):
            errors += _names_of(rule, f"{at}.{field}[{index}].resourceNames")
            errors += admissionrules.validate_rule(rule, f"{at}.{field}[{index}]")
    return errors


def _names_of(rule: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    known: set[str] = set()
    for index, name in enumerate(rule.get("resourceNames") or ()):
        yield from rules.each(names.path_segment, name, f"{at}[{index}]")
        if name in known:
            yield duplicate(f"{at}[{index}]", name)
        known.add(name)


def _param_kind(kind: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    if not version:
        yield required(f"{at}.apiVersion")
    elif version.count("/") > 1:
        yield invalid(f"{at}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    else:
        group, slash, last = version.partition("/")
        if slash:
            yield from rules.each(names.dns1123_subdomain, group, f"{at}.apiVersion")
        yield from rules.each(names.dns1035_label, last if slash else group, f"{at}.apiVersion")
    if not name:
        yield required(f"{at}.kind")
    elif wrong := names.dns1035_label(name.lower()):
        why = "may have mixed case, but should otherwise match: " + ", ".join(wrong)
        yield invalid(f"{at}.kind", name, why)


def _variables(spec: Mapping[str, Any], scope: Scope) -> Iterator[FieldError]:
    from apiserver.cel import CelError
    from apiserver.cel.names import KEYWORDS

    for index, variable in enumerate(spec.get("variables") or ()):
        at, name, expression = f"spec.variables[{index}]", variable.get("name") or "", variable.get("expression") or ""
        if not name.strip():
            yield required(f"{at}.name", "name is not specified")
        elif not _IDENTIFIER.match(name) or name in KEYWORDS:
            yield invalid(f"{at}.name", name, "name is not a valid CEL identifier")
        if not expression.strip():
            yield required(f"{at}.expression", "expression is not specified")
            continue
        try:
            scope.variable(name, expression)
        except CelError as error:
            yield invalid(f"{at}.expression", expression, str(error))


def _param_ref(ref: Mapping[str, Any] | None, at: str) -> Iterator[FieldError]:
    if ref is None:
        return
    name, selector, action = ref.get("name"), ref.get("selector"), ref.get("parameterNotFoundAction")
    if name:
        yield from rules.each(names.path_segment, name, f"{at}.name")
    if selector is not None:
        yield from rules.label_selector(selector, f"{at}.selector")
    if name and selector is not None:
        for field in ("name", "selector"):
            yield forbidden(f"{at}.{field}", "name and selector are mutually exclusive")
    if not name and selector is None:
        yield required(at, "one of name or selector must be specified")
    if not action:
        yield required(f"{at}.parameterNotFoundAction")
    elif action not in NOT_FOUND_ACTIONS:
        yield not_supported(f"{at}.parameterNotFoundAction", action, NOT_FOUND_ACTIONS)


def counted(name: str, field: str, description: str) -> Column:
    """A column with the length of a list in the spec."""
    return Column(name, lambda obj, now: len(obj["spec"].get(field) or ()), type="integer", description=description)


def _shown_param_kind(obj: Object, now: datetime) -> str:
    kind = obj["spec"].get("paramKind")
    return f"{kind['apiVersion']}/{kind['kind']}" if kind else UNSET


def _shown_param_ref(obj: Object, now: datetime) -> str:
    ref = obj["spec"].get("paramRef")
    if not ref:
        return UNSET
    name = ref.get("name") or "*"
    return f"{ref['namespace']}/{name}" if ref.get("namespace") else str(name)


PARAM_KIND = Column("ParamKind", _shown_param_kind, description="The kind of the policy's parameters")
BINDING_COLUMNS = (
    Column("PolicyName", lambda obj, now: obj["spec"]["policyName"], description="The policy that is bound"),
    Column("ParamRef", _shown_param_ref, description="The parameters that the policy is evaluated with"),
)
