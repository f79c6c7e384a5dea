"""A custom kind's group, scope and names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api import names
from api.field import FieldError, invalid, not_supported, quote, required

CLUSTER, NAMESPACED = "Cluster", "Namespaced"
APPROVAL = "api-approved.kubernetes.io"

_REQUIRED = ("plural", "singular", "kind", "listKind")
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"
MIXED_CASE = "may have mixed case, but should otherwise match: "


def validate_group(group: str) -> list[FieldError]:
    if not group:
        return [required("spec.group")]
    if wrong := names.dns1123_subdomain(group):
        return [invalid("spec.group", group, ",".join(wrong))]
    if "." not in group:
        return [invalid("spec.group", group, "should be a domain with at least one dot")]
    return []


def validate_scope(scope: str) -> list[FieldError]:
    if not scope:
        return [required("spec.scope")]
    return [] if scope in (CLUSTER, NAMESPACED) else [not_supported("spec.scope", scope, (CLUSTER, NAMESPACED))]


def validate_requested(given: Mapping[str, Any]) -> list[FieldError]:
    """The names a definition asks for."""
    missing = [required(f"spec.names.{name}") for name in _REQUIRED if not given.get(name)]
    return missing + validate_names(given, "spec.names")


def validate_names(given: Mapping[str, Any], at: str) -> list[FieldError]:
    """Names, as far as they are there."""
    errors: list[FieldError] = []
    for field in ("plural", "singular"):
        errors += _label(given.get(field), f"{at}.{field}")
    for field in ("kind", "listKind"):
        name = given.get(field)
        if name and (wrong := names.dns1035_label(name.lower())):
            errors.append(invalid(f"{at}.{field}", name, MIXED_CASE + ",".join(wrong)))
    for index, name in enumerate(given.get("shortNames") or ()):
        errors += _label(name, f"{at}.shortNames[{index}]")
    if given.get("kind") and given["kind"] == given.get("listKind"):
        errors.append(invalid(f"{at}.listKind", given["listKind"], "kind and listKind may not be the same"))
    for index, name in enumerate(given.get("categories") or ()):
        errors += _label(name, f"{at}.categories[{index}]")
    return errors


def _label(name: str | None, at: str) -> list[FieldError]:
    wrong = names.dns1035_label(name) if name else []
    return [invalid(at, name, ",".join(wrong))] if wrong else []


def protected(group: str) -> bool:
    """Whether a group is the Kubernetes community's own."""
    return any(group == own or group.endswith(f".{own}") for own in ("k8s.io", "kubernetes.io"))


def approval(annotations: Mapping[str, Any] | None) -> tuple[str, str]:
    """(the word for how a protected group is approved, its sentence): missing, invalid, approved or bypassed."""
    value = (annotations or {}).get(APPROVAL) or ""
    if not value:
        return "missing", f'protected groups must have approval annotation "{APPROVAL}", {_SEE}'
    if value.startswith("unapproved"):
        return "bypassed", f"not approved: {quote(value)}"
    if value.startswith(("http://", "https://")) and len(value) > len("https://"):
        return "approved", f"approved in {value}"
    text = f'protected groups must have approval annotation "{APPROVAL}" with either a URL or a reason starting with'
    return "invalid", f'{text} "unapproved", {_SEE}'


def validate_approval(
    group: str, annotations: Mapping[str, Any] | None, before: Mapping[str, Any] | None = None
) -> list[FieldError]:
    """`before`: the annotations of the definition that is changed; what they say already is not asked again."""
    value = (annotations or {}).get(APPROVAL) or ""
    if not protected(group) or (before is not None and value == (before.get(APPROVAL) or "")):
        return []
    at = f"metadata.annotations[{APPROVAL}]"
    match approval(annotations):
        case ("missing", text):
            return [required(at, text)]
        case ("invalid", text):
            return [invalid(at, value, text)]
    return []
