"""What is wrong with a Job's spec, by itself or in a CronJob: numbers, modes, policies of failure and success."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from api import names
from api.field import FieldError, duplicate, invalid, not_supported, quote, required, too_long, too_many
from apiserver.registry import indexes, rules
from apiserver.registry.kind import Object
from apiserver.registry.podspec import validation
from apiserver.registry.podspec.warnings import of_pod

_NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_MODES = ("NonIndexed", "Indexed")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_RESTARTS = ("OnFailure", "Never")
_MOST_INDEXED = 100_000
"""Pods at once, or failed indexes, of an indexed Job."""
_MANY, _AT_ONCE, _FAILED = 100_000, 10_000, 10_000
"""Above so many completions a Job with a limit for each index may have so many pods at once and failed indexes."""
_MANAGER_LENGTH = 63
_POLICY_RULES = 20
_EXIT_CODES = 255
_CONDITION_PATTERNS = 20
_INDEXES_LENGTH = 64 * 1024
_PATH_CHARACTERS = "A-Za-z0-9/\\-._~%!$&'()*+,;=:"
_PATH = re.compile(f"[{_PATH_CHARACTERS}]+\\Z")


def job_spec(spec: Object, at: str) -> list[FieldError]:
    """A JobSpec, defaults filled in or not; its selector is for the kind to judge."""
    errors = rules.not_negative(spec, _NUMBERS, at)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        errors.append(required(f"{at}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if (manager := spec.get("managedBy")) is not None:
        errors += _manager(manager, f"{at}.managedBy")
    mode = spec.get("completionMode") or "NonIndexed"
    if mode not in _MODES:
        errors.append(not_supported(f"{at}.completionMode", mode, _MODES))
    errors += _indexed(spec, at) if mode == "Indexed" else _not_indexed(spec, mode, at)
    if (policy := spec.get("podFailurePolicy")) is not None:
        errors += _failure_policy(policy, spec, f"{at}.podFailurePolicy")
    if (policy := spec.get("successPolicy")) is not None:
        errors += _success_policy(policy, spec, mode, f"{at}.successPolicy")
    errors += _replacement(spec, f"{at}.podReplacementPolicy")
    template = spec.get("template") or {}
    errors += validation.template(template, f"{at}.template")
    return errors + _restart_policy(spec, f"{at}.template.spec.restartPolicy")


def job_warnings(spec: Object, at: str) -> list[str]:
    found: list[str] = []
    many = (spec.get("completions") or 0) > _MANY and (spec.get("parallelism") or 0) > _AT_ONCE
    if spec.get("completionMode") == "Indexed" and many:
        found.append(
            f"{at}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
    return found + of_pod(spec["template"], f"{at}.template")


def _manager(name: str, at: str) -> list[FieldError]:
    """A domain, a slash and a path."""
    errors: list[FieldError] = []
    domain, slash, path = name.partition("/")
    if not slash or not domain or not path:
        errors.append(invalid(at, name, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    else:
        errors += [invalid(at, domain, why) for why in names.dns1123_subdomain(domain)]
        if not _PATH.match(path):
            text = names.regex_message("Invalid path", f"[{_PATH_CHARACTERS}]+", "")
            errors.append(invalid(at, path, text))
    if len(name) > _MANAGER_LENGTH:
        errors.append(too_long(at, name, _MANAGER_LENGTH))
    return errors


def _indexed(spec: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    completions, at_once = spec.get("completions"), spec.get("parallelism") or 0
    failed = spec.get("maxFailedIndexes")
    if completions is None:
        errors.append(required(f"{at}.completions", "when completion mode is Indexed"))
    if at_once > _MOST_INDEXED:
        text = f"must be less than or equal to {_MOST_INDEXED} when completion mode is Indexed"
        errors.append(invalid(f"{at}.parallelism", at_once, text))
    if completions is not None and failed is not None and failed > completions:
        errors.append(invalid(f"{at}.maxFailedIndexes", failed, "must be less than or equal to completions"))
    if failed is not None and failed > _MOST_INDEXED:
        errors.append(invalid(f"{at}.maxFailedIndexes", failed, f"must be less than or equal to {_MOST_INDEXED}"))
    if (completions or 0) > _MANY and spec.get("backoffLimitPerIndex") is not None:
        errors += _many(at_once, failed, at)
    return errors


def _many(at_once: int, failed: int | None, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    text = f"when completions are above {_MANY} and used with backoff limit per index"
    if failed is None:
        errors.append(required(f"{at}.maxFailedIndexes", f"must be specified when completions is above {_MANY}"))
    if at_once > _AT_ONCE:
        errors.append(invalid(f"{at}.parallelism", at_once, f"must be less than or equal to {_AT_ONCE} {text}"))
    if failed is not None and failed > _FAILED:
        errors.append(invalid(f"{at}.maxFailedIndexes", failed, f"must be less than or equal to {_FAILED} {text}"))
    return errors


def _not_indexed(spec: Object, mode: str, at: str) -> list[FieldError]:
    if mode != "NonIndexed":
        return []
    names_ = ("backoffLimitPerIndex", "maxFailedIndexes")
    given = (name for name in names_ if spec.get(name) is not None)
    return [invalid(f"{at}.{name}", spec[name], "requires indexed completion mode") for name in given]


def _failure_policy(policy: Object, spec: Object, at: str) -> list[FieldError]:
    given = policy.get("rules") or []
    errors = [too_many(f"{at}.rules", len(given), _POLICY_RULES)] if len(given) > _POLICY_RULES else []
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = {each.get("name") for field in ("containers", "initContainers") for each in pod.get(field) or ()}
    for index, rule in enumerate(given):
        errors += _failure_rule(rule, spec, containers, f"{at}.rules[{index}]")
    return errors


def _failure_rule(rule: Object, spec: Object, containers: set[Any], at: str) -> list[FieldError]:
    action = rule.get("action") or ""
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    errors: list[FieldError] = []
    if action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            errors.append(invalid(f"{at}.action", action, "requires the backoffLimitPerIndex to be set"))
    else:
        errors += _chosen(action, _ACTIONS, f"{at}.action")
    if codes is not None:
        errors += _exit_codes(codes, containers, f"{at}.onExitCodes")
    if len(conditions) > _CONDITION_PATTERNS:
        errors.append(too_many(f"{at}.onPodConditions", len(conditions), _CONDITION_PATTERNS))
    for index, pattern in enumerate(conditions):
        here = f"{at}.onPodConditions[{index}]"
        errors += rules.each(names.qualified_name, pattern.get("type"), f"{here}.type")
        errors += _chosen(pattern.get("status") or "", _STATUSES, f"{here}.status")
    if (codes is not None) == bool(conditions):
        which = "both OnExitCodes and OnPodConditions is not supported"
        if codes is None:
            which = "one of OnExitCodes and OnPodConditions is required"
        errors.append(rules.wrong(at, f"specifying {which}"))
    return errors


def _chosen(value: str, supported: tuple[str, ...], at: str) -> list[FieldError]:
    """A word that must be there, in the one message that lists what it may be even when it is not."""
    if not value:
        return [required(at, f"valid values: [{_listed(supported, ' ')}]")]
    return [] if value in supported else [not_supported(at, value, supported)]


def _listed(values: Iterable[str], between: str) -> str:
    return between.join(map(quote, values))


def _exit_codes(codes: Object, containers: set[Any], at: str) -> list[FieldError]:
    operator, values = codes.get("operator") or "", codes.get("values") or []
    errors = _chosen(operator, _OPERATORS, f"{at}.operator")
    container = codes.get("containerName")
    if container is not None and container not in containers:
        text = "must be one of the container or initContainer names in the pod template"
        errors.append(invalid(f"{at}.containerName", container, text))
    if not values:
        errors.append(invalid(f"{at}.values", values, "at least one value is required"))
    elif len(values) > _EXIT_CODES:
        errors.append(too_many(f"{at}.values", len(values), _EXIT_CODES))
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            errors.append(invalid(f"{at}.values[{index}]", value, "must not be 0 for the In operator"))
        if value in values[:index]:
            errors.append(duplicate(f"{at}.values[{index}]", value))
    if values != sorted(values):
        errors.append(invalid(f"{at}.values", values, "must be ordered"))
    return errors


def _success_policy(policy: Object, spec: Object, mode: str, at: str) -> list[FieldError]:
    if mode != "Indexed":
        return [invalid(at, policy, "requires indexed completion mode")]
    given = policy.get("rules") or []
    errors: list[FieldError] = []
    if not given:
        text = "at least one rules must be specified when the successPolicy is specified"
        errors.append(required(f"{at}.rules", text))
    if len(given) > _POLICY_RULES:
        errors.append(too_many(f"{at}.rules", len(given), _POLICY_RULES))
    for index, rule in enumerate(given):
        errors += _success_rule(rule, spec.get("completions") or 0, f"{at}.rules[{index}]")
    return errors


def _success_rule(rule: Object, completions: int, at: str) -> list[FieldError]:
    count, text = rule.get("succeededCount"), rule.get("succeededIndexes")
    errors: list[FieldError] = []
    if count is None and text is None:
        errors.append(required(at, "at least one of succeededCount or succeededIndexes must be specified"))
    total = 0
    if text is not None:
        here = f"{at}.succeededIndexes"
        if len(text) > _INDEXES_LENGTH:
            errors.append(too_long(here, text, _INDEXES_LENGTH))
        try:
            total = indexes.count(text, completions)
        except indexes.IndexesError as error:
            errors.append(invalid(here, text, f"error parsing succeededIndexes: {error}"))
    if count is not None:
        here = f"{at}.succeededCount"
        errors += rules.not_negative(rule, ("succeededCount",), at)
        limits = [(completions, "number of specified completions")]
        if text is not None:
            limits.append((total, "number of indexes in the specified succeededIndexes field"))
        for limit, what in limits:
            if count > limit:
                errors.append(invalid(here, count, f"must be less than or equal to {limit} (the {what})"))
    return errors


def _replacement(spec: Object, at: str) -> list[FieldError]:
    policy = spec.get("podReplacementPolicy")
    supported = _REPLACEMENTS[:1] if spec.get("podFailurePolicy") is not None else _REPLACEMENTS
    return [] if policy is None or policy in supported else [not_supported(at, policy, supported)]


def _restart_policy(spec: Object, at: str) -> list[FieldError]:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy") or ""
    if policy in ("", "Always"):
        return [required(at, f"valid values: {_listed(_RESTARTS, ', ')}")]
    if policy not in _RESTARTS:
        return [not_supported(at, policy, _RESTARTS)]
    if policy != "Never" and spec.get("podFailurePolicy") is not None:
        return [invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    return []
