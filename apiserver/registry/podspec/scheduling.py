"""Where a pod may run: affinity, tolerations, taints, spreading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from api import names
from api.field import FieldError, duplicate, forbidden, invalid, not_supported, required
from apiserver.registry import rules
from apiserver.registry.kind import Object

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHT = "must be in the range 1-100"
_BAD_OPERATOR = "not a valid selector operator"
_POSITIVE = "must be greater than zero"


def pod_terms(spec: Object) -> Iterator[Object]:
    """The terms of a pod's affinities and anti-affinities to other pods."""
    value = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = value.get(kind) or {}
        yield from terms.get(_REQUIRED) or ()
        yield from (each.get("podAffinityTerm") or {} for each in terms.get(_PREFERRED) or ())


def affinity(value: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if node := value.get("nodeAffinity"):
        errors += _node_affinity(node, f"{at}.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        if pods := value.get(kind):
            errors += _pod_affinity(pods, f"{at}.{kind}")
    return errors


def _node_affinity(value: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if (selector := value.get(_REQUIRED)) is not None:
        errors += node_selector(selector, f"{at}.{_REQUIRED}")
    for index, preferred in enumerate(value.get(_PREFERRED) or ()):
        here = f"{at}.{_PREFERRED}[{index}]"
        errors += _weight(preferred, here)
        errors += _node_term(preferred.get("preference") or {}, f"{here}.preference", strict=False)
    return errors


def node_selector(value: Object, at: str) -> list[FieldError]:
    terms = value.get("nodeSelectorTerms") or ()
    at = f"{at}.nodeSelectorTerms"
    errors = [] if terms else [required(at, "must have at least one node selector term")]
    for index, term in enumerate(terms):
        errors += _node_term(term, f"{at}[{index}]", strict=True)
    return errors


def _weight(term: Object, at: str) -> list[FieldError]:
    weight = term.get("weight") or 0
    return [] if 0 < weight <= 100 else [invalid(f"{at}.weight", weight, _WEIGHT)]


def _node_term(term: Object, at: str, *, strict: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, item in enumerate(term.get("matchExpressions") or ()):
        errors += _node_requirement(item, f"{at}.matchExpressions[{index}]", strict=strict)
    for index, item in enumerate(term.get("matchFields") or ()):
        errors += _node_field(item, f"{at}.matchFields[{index}]")
    return errors


def _node_requirement(item: Object, at: str, *, strict: bool) -> list[FieldError]:
    operator, values = item.get("operator"), item.get("values") or ()
    errors = rules.values_fit(operator, values, at)
    if errors is None and operator in ("Gt", "Lt"):
        text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        errors = [] if len(values) == 1 else [required(f"{at}.values", text)]
    elif errors is None:
        errors = [invalid(f"{at}.operator", operator or "", _BAD_OPERATOR)]
    errors += rules.each(names.qualified_name, item.get("key"), f"{at}.key")
    if strict:
        for index, value in enumerate(values):
            errors += rules.each(names.label_value, value, f"{at}.values[{index}]")
    return errors


def _node_field(item: Object, at: str) -> list[FieldError]:
    operator, values = item.get("operator"), item.get("values") or ()
    errors: list[FieldError] = []
    if operator not in ("In", "NotIn"):
        errors.append(invalid(f"{at}.operator", operator or "", _BAD_OPERATOR))
    elif len(values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        errors.append(required(f"{at}.values", text))
    if item.get("key") != "metadata.name":
        errors.append(invalid(f"{at}.key", item.get("key") or "", "not a valid field selector key"))
    else:
        for index, value in enumerate(values):
            errors += rules.each(names.dns1123_subdomain, value, f"{at}.values[{index}]")
    return errors


def _pod_affinity(value: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, term in enumerate(value.get(_REQUIRED) or ()):
        errors += _pod_term(term, f"{at}.{_REQUIRED}[{index}]")
    for index, weighted in enumerate(value.get(_PREFERRED) or ()):
        here = f"{at}.{_PREFERRED}[{index}]"
        errors += _weight(weighted, here)
        errors += _pod_term(weighted.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")
    return errors


def _pod_term(term: Object, at: str) -> list[FieldError]:
    selector = term.get("labelSelector")
    errors = rules.label_selector(selector, f"{at}.labelSelector")
    errors += rules.label_selector(term.get("namespaceSelector"), f"{at}.namespaceSelector")
    for namespace in term.get("namespaces") or ():
        errors += rules.each(names.dns1123_label, namespace, f"{at}.namespace")
    match, mismatch = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    errors += _label_keys(match, selector, f"{at}.matchLabelKeys")
    errors += _label_keys(mismatch, selector, f"{at}.mismatchLabelKeys")
    for index, key in enumerate(match):
        if key in mismatch:
            text = "exists in both matchLabelKeys and mismatchLabelKeys"
            errors.append(invalid(f"{at}.matchLabelKeys[{index}]", key, text))
    topology = term.get("topologyKey")
    if not topology:
        errors.append(required(f"{at}.topologyKey", "can not be empty"))
    return errors + rules.each(names.qualified_name, topology, f"{at}.topologyKey")


def _label_keys(keys: Iterable[str], selector: Mapping[str, Any] | None, at: str) -> list[FieldError]:
    keys = list(keys)
    if keys and selector is None:
        return [forbidden(at, "must not be specified when labelSelector is not set")]
    errors: list[FieldError] = []
    for index, key in enumerate(keys):
        errors += rules.each(names.qualified_name, key, f"{at}[{index}]")
    return errors


def tolerations(values: list[Object], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, toleration in enumerate(values):
        errors += _toleration(toleration, f"{at}[{index}]")
    return errors


def _toleration(toleration: Object, at: str) -> list[FieldError]:
    key, operator = toleration.get("key"), toleration.get("operator") or ""
    value, effect = toleration.get("value") or "", toleration.get("effect") or ""
    errors: list[FieldError] = rules.each(names.qualified_name, key, f"{at}.key") if key else []
    if not key and operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        errors.append(invalid(f"{at}.operator", operator, text))
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        errors.append(invalid(f"{at}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    if operator in ("Equal", ""):
        if wrong := names.label_value(value):
            errors.append(invalid(f"{at}.operator", value, ";".join(wrong)))
    elif operator == "Exists":
        if value:
            errors.append(invalid(f"{at}.operator", value, "value must be empty when `operator` is 'Exists'"))
    else:
        errors.append(not_supported(f"{at}.operator", operator, ("Equal", "Exists")))
    if effect and effect not in EFFECTS:
        errors.append(not_supported(f"{at}.effect", effect, EFFECTS))
    return errors


def taints(values: list[Object], at: str) -> list[FieldError]:
    """A node's taints."""
    errors: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(values):
        here = f"{at}[{index}]"
        key, value, effect = taint.get("key") or "", taint.get("value") or "", taint.get("effect") or ""
        errors += rules.each(names.qualified_name, key, f"{here}.key")
        if wrong := names.label_value(value):
            errors.append(invalid(f"{here}.value", value, ";".join(wrong)))
        errors += rules.one_of(effect, EFFECTS, f"{here}.effect")
        if (key, effect) in seen:
            again = duplicate(here, taint)
            errors.append(type(again)(again.type, again.field, taint, "taints must be unique by key and effect pair"))
        seen.add((key, effect))
    return errors


def spread(constraints: list[Object], at: str) -> list[FieldError]:
    """topologySpreadConstraints."""
    errors: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for index, constraint in enumerate(reversed(constraints)):
        # Of two that are alike Kubernetes blames the first.
        here = f"{at}[{len(constraints) - 1 - index}]"
        pair = (constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or "")
        found = _constraint(constraint, here)
        if pair in seen:
            found.append(duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{pair[0]}, {pair[1]}}}"))
        seen.add(pair)
        errors = found + errors
    return errors


def _constraint(constraint: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if (constraint.get("maxSkew") or 0) <= 0:
        errors.append(invalid(f"{at}.maxSkew", constraint.get("maxSkew") or 0, _POSITIVE))
    if topology := constraint.get("topologyKey"):
        errors += rules.each(names.qualified_name, topology, f"{at}.topologyKey")
    else:
        errors.append(required(f"{at}.topologyKey", "can not be empty"))
    action = constraint.get("whenUnsatisfiable") or ""
    if action not in ("DoNotSchedule", "ScheduleAnyway"):
        errors.append(not_supported(f"{at}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway")))
    domains = constraint.get("minDomains")
    if domains is not None:
        if domains <= 0:
            errors.append(invalid(f"{at}.minDomains", domains, _POSITIVE))
        if action != "DoNotSchedule":
            text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            errors.append(invalid(f"{at}.minDomains", domains, text))
    for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        policy = constraint.get(field)
        if policy is not None and policy not in ("Honor", "Ignore"):
            errors.append(not_supported(f"{at}.{field}", policy, ("Honor", "Ignore")))
    selector = constraint.get("labelSelector")
    errors += _label_keys(constraint.get("matchLabelKeys") or (), selector, f"{at}.matchLabelKeys")
    return errors + rules.label_selector(selector, f"{at}.labelSelector")
