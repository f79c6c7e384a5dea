"""The paths by which a definition points into its objects: for columns, for field selectors, for the scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from api.field import FieldError, duplicate, invalid, required, too_many

COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
SELECTABLE_LIMIT = 8


def steps(path: str) -> tuple[str, ...]:
    """`.spec.replicas` → (`spec`, `replicas`)."""
    return tuple(path.removeprefix(".").split(".")) if path and path != "." else ()


def validate_columns(columns: Iterable[Mapping[str, Any]], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, column in enumerate(columns):
        where, one_of = f"{at}[{index}]", f"must be one of {','.join(COLUMN_TYPES)}"
        if not column.get("name"):
            errors.append(required(f"{where}.name"))
        if not column.get("type"):
            errors.append(required(f"{where}.type", one_of))
        elif column["type"] not in COLUMN_TYPES:
            errors.append(invalid(f"{where}.type", column["type"], one_of))
        if column.get("format") and column["format"] not in _FORMATS:
            errors.append(invalid(f"{where}.format", column["format"], f"must be one of {','.join(_FORMATS)}"))
        errors += _simple_path(column.get("jsonPath"), f"{where}.jsonPath")
    return errors


def _simple_path(path: str | None, at: str) -> list[FieldError]:
    if not path:
        return [required(at)]
    return [] if path.startswith(".") else [invalid(at, path, "must be a simple json path starting with .")]


def validate_scale(scale: Mapping[str, Any], at: str) -> list[FieldError]:
    errors = _below(scale, "specReplicasPath", (".spec.",), at, "should be a json path under .spec")
    errors += _below(scale, "statusReplicasPath", (".status.",), at, "should be a json path under .status")
    if scale.get("labelSelectorPath"):
        text = "should be a json path under either .spec or .status"
        errors += _below(scale, "labelSelectorPath", (".spec.", ".status."), at, text)
    return errors


def _below(scale: Mapping[str, Any], field: str, starts: tuple[str, ...], at: str, text: str) -> list[FieldError]:
    path = scale.get(field)
    if wrong := _simple_path(path, f"{at}.{field}"):
        return wrong
    return [] if str(path).startswith(starts) else [invalid(f"{at}.{field}", path, text)]


def validate_selectable(fields: Iterable[Mapping[str, Any]], schema: Mapping[str, Any], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, field in enumerate(fields):
        path, where = field.get("jsonPath") or "", f"{at}[{index}].jsonPath"
        if not path:
            errors.append(required(where))
        elif why := _not_selectable(path, schema):
            errors.append(invalid(where, path, why))
        elif path in seen:
            errors.append(duplicate(where, path))
        seen.add(path)
    if len(seen) > SELECTABLE_LIMIT:
        errors.append(too_many(at, len(seen), SELECTABLE_LIMIT))
    return errors


def _not_selectable(path: str, schema: Mapping[str, Any]) -> str:
    """Why no field selector can ask for what a path names; empty if one can."""
    if not path.startswith("."):
        return "is an invalid path: must start with ."
    if "[" in path:
        return "is an invalid path: does not support array notation"
    names = steps(path)
    if not all(names) or not names:
        return "is an invalid path: a field has no name"
    if names[0] == "metadata":
        return "must not point to fields in metadata"
    found: Mapping[str, Any] | None = schema
    for name in names:
        found = ((found or {}).get("properties") or {}).get(name)
    if found is None:
        return "is an invalid path: does not refer to a valid field"
    if found.get("type") not in ("string", "boolean", "integer"):
        return (
            "must point to a field of type string, boolean or integer. "
            "Enum string fields and strings with formats are allowed."
        )
    return ""
