"""What the two kinds of webhook configuration share: nearly everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api import names
from api.field import FieldError, duplicate, invalid, not_supported, required
from apiserver.admission.conditions import problem_of
from apiserver.registry import admissionrules, rules
from apiserver.registry.kind import Column, Context, Object, Strategy
from apiserver.registry.webhookclient import default_service, validate_client

REVIEW_VERSIONS = ("v1", "v1beta1")
SIDE_EFFECTS = ("None", "NoneOnDryRun")
_REINVOCATIONS = ("IfNeeded", "Never")
_TIMEOUT = 10
_DEFAULTS = {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "timeoutSeconds": _TIMEOUT}


class WebhooksStrategy(Strategy):
    """`reinvokes` is whether a webhook may be asked again after another one (mutating webhooks)."""

    has_generation = True
    allow_unconditional_update = False

    def __init__(self, *, reinvokes: bool) -> None:
        self._defaults = {**_DEFAULTS, "reinvocationPolicy": "Never"} if reinvokes else _DEFAULTS

    def default(self, obj: Object) -> None:
        for hook in obj.get("webhooks") or ():
            for field, value in self._defaults.items():
                if hook.get(field) is None:
                    hook[field] = value
            for field in ("namespaceSelector", "objectSelector"):
                if hook.get(field) is None:
                    hook[field] = {}
            admissionrules.default_rules(hook.get("rules"))
            default_service((hook.get("clientConfig") or {}).get("service"))

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors: list[FieldError] = []
        seen: set[str] = set()
        for index, hook in enumerate(obj.get("webhooks") or ()):
            at, name = f"webhooks[{index}]", hook.get("name") or ""
            errors += _hook(hook, at)
            if name and name in seen:
                errors.append(duplicate(f"{at}.name", name))
            seen.add(name)
        return errors


def _hook(hook: Mapping[str, Any], at: str) -> list[FieldError]:
    errors = full_name(hook.get("name") or "", f"{at}.name")
    for index, rule in enumerate(hook.get("rules") or ()):
        errors += admissionrules.validate_rule(rule, f"{at}.rules[{index}]")
    errors += admissionrules.validate_matching(hook, at)
    errors += _side_effects(hook.get("sideEffects"), f"{at}.sideEffects")
    if not 1 <= hook["timeoutSeconds"] <= 30:
        why = "the timeout value must be between 1 and 30 seconds"
        errors.append(invalid(f"{at}.timeoutSeconds", hook["timeoutSeconds"], why))
    again = hook.get("reinvocationPolicy")
    if again is not None and again not in _REINVOCATIONS:
        errors.append(not_supported(f"{at}.reinvocationPolicy", again, _REINVOCATIONS))
    at_conditions = f"{at}.matchConditions"
    errors += admissionrules.validate_conditions(hook.get("matchConditions"), at_conditions, problem_of)
    errors += validate_client(hook.get("clientConfig") or {}, f"{at}.clientConfig")
    return errors + review_versions(hook.get("admissionReviewVersions") or [], f"{at}.admissionReviewVersions")


def full_name(name: str, at: str) -> list[FieldError]:
    """A name of three parts at least, so that it tells whose it is."""
    if not name:
        return [required(at)]
    if wrong := names.dns1123_subdomain(name):
        return [invalid(at, name, ",".join(wrong))]
    if name.count(".") < 2:
        return [invalid(at, name, "should be a domain with at least three segments separated by dots")]
    return []


def _side_effects(value: Any, at: str) -> list[FieldError]:
    if value is None:
        return [required(at, f"must specify one of {', '.join(SIDE_EFFECTS)}")]
    return [] if value in SIDE_EFFECTS else [not_supported(at, value, SIDE_EFFECTS)]


def review_versions(versions: list[str], at: str) -> list[FieldError]:
    """The versions of AdmissionReview that a webhook understands: one that is known here, at least."""
    if not versions:
        return [required(at, f"must specify one of {', '.join(REVIEW_VERSIONS)}")]
    errors: list[FieldError] = []
    for index, version in enumerate(versions):
        if version in versions[:index]:
            errors.append(invalid(f"{at}[{index}]", version, "duplicate version"))
        else:
            errors += rules.each(names.dns1035_label, version, f"{at}[{index}]")
    if not set(versions) & set(REVIEW_VERSIONS):
        errors.append(invalid(at, versions, f"must include at least one of {', '.join(REVIEW_VERSIONS)}"))
    return errors


def _count(obj: Object, now: datetime) -> int:
    return len(obj.get("webhooks") or ())


COLUMNS = (Column("Webhooks", _count, type="integer", description="How many webhooks there are"),)
