"""Which requests an admission webhook or policy is for: defaults and checks of rules, selectors, match conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from api.field import FieldError, duplicate, invalid, not_supported, required, too_many
from api.names import qualified_name
from apiserver.registry import rules

OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
SCOPES = ("*", "Cluster", "Namespaced")
FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
CONDITIONS_LIMIT = 64

Compile = Callable[[str], str]
"""What is wrong with an expression, or nothing."""


def default_rules(items: Sequence[Any] | None) -> None:
    """Each rule is for every scope, if it names none."""
    for rule in items or ():
        if rule.get("scope") is None:
            rule["scope"] = "*"


def validate_rule(rule: Mapping[str, Any], at: str) -> list[FieldError]:
    """A RuleWithOperations."""
    operations = rule.get("operations") or []
    errors = [] if operations else [required(f"{at}.operations")]
    errors += _alone("*", operations, f"{at}.operations", "if '*' is present, must not specify other operations")
    for index, operation in enumerate(operations):
        if operation not in OPERATIONS:
            errors.append(not_supported(f"{at}.operations[{index}]", operation, OPERATIONS))
    for field, what in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        values = rule.get(field) or []
        if not values:
            errors.append(required(f"{at}.{field}"))
        errors += _alone("*", values, f"{at}.{field}", f"if '*' is present, must not specify other {what}")
    for index, version in enumerate(rule.get("apiVersions") or ()):
        if not version:
            errors.append(required(f"{at}.apiVersions[{index}]"))
    errors += _resources(rule.get("resources") or [], f"{at}.resources")
    scope = rule.get("scope")
    if scope is not None and scope not in SCOPES:
        errors.append(not_supported(f"{at}.scope", scope, SCOPES))
    return errors


def _alone(wildcard: str, values: Sequence[str], at: str, why: str) -> list[FieldError]:
    return [invalid(at, values, why)] if wildcard in values and len(values) > 1 else []


def _resources(resources: Sequence[str], at: str) -> list[FieldError]:
    errors = [] if resources else [required(at)]
    all_below: set[str] = set()  # `pods/*`
    below_all: set[str] = set()  # `*/scale`
    for index, resource in enumerate(resources):
        if not resource:
            errors.append(required(f"{at}[{index}]"))
            continue
        plural, slash, subresource = resource.partition("/")
        if not slash:
            continue
        for wide in (
            f"{plural}/*" if plural in all_below else "",
            f"*/{subresource}" if subresource in below_all else "",
        ):
            if wide:
                why = f"if '{wide}' is present, must not specify {resource}"
                errors.append(invalid(f"{at}[{index}]", resource, why))
        if subresource == "*":
            all_below.add(plural)
        if plural == "*":
            below_all.add(subresource)
    errors += _alone("*/*", resources, at, "if '*/*' is present, must not specify other resources")
    if "*" in resources and any(resource != "*" and "/" not in resource for resource in resources):
        why = "if '*' is present, must not specify other resources without subresources"
        errors.append(invalid(at, resources, why))
    return errors


def validate_matching(hook: Mapping[str, Any], at: str) -> list[FieldError]:
    """The policy and the selectors beside the rules."""
    errors = []
    for field, supported in (("failurePolicy", FAILURE_POLICIES), ("matchPolicy", MATCH_POLICIES)):
        value = hook.get(field)
        if value is not None and value not in supported:
            errors.append(not_supported(f"{at}.{field}", value, supported))
    for field in ("namespaceSelector", "objectSelector"):
        errors += rules.label_selector(hook.get(field), f"{at}.{field}")
    return errors


def validate_conditions(conditions: Sequence[Mapping[str, Any]] | None, at: str, compiles: Compile) -> list[FieldError]:
    """Match conditions: a name and a CEL expression each."""
    items = conditions or ()
    errors = [too_many(at, len(items), CONDITIONS_LIMIT)] if len(items) > CONDITIONS_LIMIT else []
    seen: set[str] = set()
    for index, item in enumerate(items):
        expression, name = (item.get("expression") or "").strip(), item.get("name") or ""
        if not expression:
            errors.append(required(f"{at}[{index}].expression"))
        elif why := compiles(expression):
            errors.append(invalid(f"{at}[{index}].expression", expression, why))
        errors += rules.each(qualified_name, name, f"{at}[{index}].name") if name else [required(f"{at}[{index}].name")]
        if name in seen:
            errors.append(duplicate(f"{at}[{index}].name", name))
        seen.add(name)
    return errors
