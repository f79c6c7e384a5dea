"""Whether a schema's defaults are themselves what the schema asks for, with nothing in them that it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from api import schema as schemas
from api.field import FieldError, Path, invalid
from api.schema.structural import Structural
from api.schema.validate import Validator


def validate_defaults(raw: Mapping[str, Any], at: str) -> list[FieldError]:
    """Of a structural schema."""
    return [error for part, where in _with_default(raw, at) for error in _one(part, part["default"], where)]


def follow_rules(raw: Mapping[str, Any], at: str) -> list[FieldError]:
    """What the schema's own rules, which compile, say against its defaults, which are valid otherwise."""
    from apiserver.cel.rules import rules_of_part, validate  # large, and definitions are rarely written

    found = _with_default(raw, at)
    return [
        error for part, where in found for error in validate(rules_of_part(part), part["default"], path=Path(where))
    ]


def _with_default(raw: Mapping[str, Any], at: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The nodes of a schema that have a default, and where it stands."""
    if raw.get("default") is not None:
        yield raw, f"{at}.default"
    if isinstance(raw.get("items"), dict):
        yield from _with_default(raw["items"], f"{at}.items")
    if isinstance(raw.get("additionalProperties"), dict):
        yield from _with_default(raw["additionalProperties"], f"{at}.additionalProperties")
    for name, field in (raw.get("properties") or {}).items():
        yield from _with_default(field, f"{at}.properties[{name}]")


def _one(raw: Mapping[str, Any], default: Any, at: str) -> Iterator[FieldError]:
    node = Structural(raw)
    pruned = orjson.loads(orjson.dumps(default))
    if isinstance(default, dict | list) and schemas.prune(node, pruned) != default:
        yield invalid(at, default, "must not have unknown fields")
    for error in Validator(raw).problems(default):
        yield replace(error, field=at if error.field == "<nil>" else f"{at}.{error.field}")
