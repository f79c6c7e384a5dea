"""A container's own restart policy and rules (KEP-5307, KEP-5532): what is allowed, and who may run again."""

from __future__ import annotations

from api.field import FieldError, not_supported, required, too_many
from apiserver.registry.kind import Object

_POLICIES = ("Always", "OnFailure", "Never")
_RESTART_ALL = "RestartAllContainers"
_ACTIONS = ("Restart", _RESTART_ALL)
_OPERATORS = ("In", "NotIn")
_MOST_RULES, _MOST_CODES = 20, 255


def validate(container: Object, at: str) -> list[FieldError]:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or []
    errors: list[FieldError] = []
    if policy is None and rules:
        errors.append(required(f"{at}.restartPolicy", "must specify restartPolicy when restart rules are used"))
    if policy is not None and policy not in _POLICIES:
        errors.append(not_supported(f"{at}.restartPolicy", policy, _POLICIES))
    if len(rules) > _MOST_RULES:
        errors.append(too_many(f"{at}.restartPolicyRules", len(rules), _MOST_RULES))
    for index, rule in enumerate(rules):
        errors += _rule(rule, f"{at}.restartPolicyRules[{index}]")
    return errors


def _rule(rule: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if rule.get("action") not in _ACTIONS:
        errors.append(not_supported(f"{at}.action", rule.get("action") or "", _ACTIONS))
    codes = rule.get("exitCodes")
    if codes is None:
        return [*errors, required(f"{at}.exitCodes", "must be specified")]
    if codes.get("operator") not in _OPERATORS:
        errors.append(not_supported(f"{at}.exitCodes.operator", codes.get("operator") or "", _OPERATORS))
    if len(codes.get("values") or ()) > _MOST_CODES:
        errors.append(too_many(f"{at}.exitCodes.values", len(codes["values"]), _MOST_CODES))
    return errors


def all_may_run_again(spec: Object) -> bool:
    """One of the containers can have all of them restarted, whatever became of them."""
    named = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    rules = [rule for each in named for rule in each.get("restartPolicyRules") or ()]
    return any(rule.get("action") == _RESTART_ALL for rule in rules)


def may_run_again(container: Object, policy: str | None, exit_code: int) -> bool:
    """What the rules and policies (`policy` is the pod's) say of a container that has ended."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if (exit_code in (codes.get("values") or ())) == (codes.get("operator") == "In"):
            return True
    chosen = container.get("restartPolicy") or policy
    return chosen == "Always" or (chosen == "OnFailure" and exit_code != 0)
