"""A definition's versions: which is stored, and for each its schema, subresources, columns and selectable fields.

What all versions say alike is reported once, for the definition as a whole, as clients know it from the API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from api import names
from api.field import FieldError, Path, invalid, required, too_long
from api.schema.structural import PRESERVE
from apiserver.registry.definitions.defaults import follow_rules, validate_defaults
from apiserver.registry.definitions.fields import validate_columns, validate_scale, validate_selectable
from apiserver.registry.definitions.openapi import validate_keywords
from apiserver.registry.definitions.structural import validate_structural

Version = Mapping[str, Any]

_AT = "spec.versions"
_WARNING_LIMIT = 256
_ALLOWED_AT_ROOT = frozenset(
    {
        "description",
        "type",
        "format",
        "title",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "multipleOf",
        "required",
        "items",
        "properties",
        "externalDocs",
        "example",
        PRESERVE,
        "x-kubernetes-validations",
    }
)
_ALLOWED_TEXT = (
    "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations]"
)


def schema_of(version: Version) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = (version.get("schema") or {}).get("openAPIV3Schema")
    return found


def status_of(version: Version) -> bool:
    """Whether the version has the status subresource."""
    return (version.get("subresources") or {}).get("status") is not None


def validate_versions(versions: Sequence[Version]) -> list[FieldError]:
    errors = _together(versions)
    for index, version in enumerate(versions):
        errors += _alone(version, f"{_AT}[{index}]")
    errors += _each(versions, "schema", "spec.validation", _schema)
    errors += _each(versions, "subresources", "spec.subresources", _subresources)
    errors += _each(versions, "additionalPrinterColumns", "spec.additionalPrinterColumns", _columns)
    errors += _each(versions, "selectableFields", "spec.selectableFields", _selectable)
    return errors


def _together(versions: Sequence[Version]) -> list[FieldError]:
    errors, called = [], [version.get("name") or "" for version in versions]
    for index, name in enumerate(called):
        if wrong := names.dns1035_label(name):
            errors.append(invalid(f"{_AT}[{index}].name", name, ",".join(wrong)))
    if len(set(called)) < len(called):
        errors.append(invalid(_AT, versions, "must contain unique version names"))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        errors.append(invalid(_AT, versions, "must have exactly one version marked as storage version"))
    return errors


def _alone(version: Version, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if schema_of(version) is None:
        errors.append(required(f"{at}.schema.openAPIV3Schema", "schemas are required"))
    warning = version.get("deprecationWarning")
    if warning is None:
        return errors
    where = f"{at}.deprecationWarning"
    if not version.get("deprecated"):
        errors.append(invalid(where, warning, "can only be set for deprecated versions"))
    if not warning:
        errors.append(invalid(where, warning, "must not be an empty string"))
    elif len(warning) > _WARNING_LIMIT:
        errors.append(too_long(where, warning, _WARNING_LIMIT))
    elif not warning.isprintable():
        errors.append(
            invalid(where, warning, "must only contain printable UTF-8 characters; non-printable character found")
        )
    return errors


def _each(
    versions: Sequence[Version], part: str, shared: str, validate: Callable[[Version, str], list[FieldError]]
) -> list[FieldError]:
    """Validate a part of each version, or once what is the same in all of them."""
    if not versions:
        return []
    if all(version.get(part) == versions[0].get(part) for version in versions):
        return validate(versions[0], shared)
    return [error for index, version in enumerate(versions) for error in validate(version, f"{_AT}[{index}].{part}")]


def _schema(version: Version, at: str) -> list[FieldError]:
    raw = schema_of(version)
    if raw is None:
        return []
    at = f"{at}.openAPIV3Schema"
    errors = _root(raw, at) if status_of(version) else []
    errors += validate_keywords(raw, at)
    errors += validate_structural(raw, at)
    errors = errors or [*validate_defaults(raw, at), *_rules(raw, at)]
    return errors or follow_rules(raw, at)


def _rules(raw: Mapping[str, Any], at: str) -> list[FieldError]:
    from apiserver.cel.rulecheck import check_rules  # large, and definitions are rarely written

    return check_rules(raw, Path(at))


def _root(raw: Mapping[str, Any], at: str) -> list[FieldError]:
    """With a status of its own a schema is taken apart at the root, where nothing may be said of both parts."""
    if raw.get("type") not in (None, "", "object"):
        text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        return [invalid(f"{at}.type", raw["type"], text)]
    if any(value and key not in _ALLOWED_AT_ROOT for key, value in raw.items()):
        text = f"only {_ALLOWED_TEXT} fields are allowed at the root of the schema if the status subresource is enabled"
        return [invalid(at, raw, text)]
    return []


def _subresources(version: Version, at: str) -> list[FieldError]:
    scale = (version.get("subresources") or {}).get("scale")
    return validate_scale(scale, f"{at}.scale") if scale is not None else []


def _columns(version: Version, at: str) -> list[FieldError]:
    return validate_columns(version.get("additionalPrinterColumns") or (), at)


def _selectable(version: Version, at: str) -> list[FieldError]:
    return validate_selectable(version.get("selectableFields") or (), schema_of(version) or {}, at)
