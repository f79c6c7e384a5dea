"""Whether a schema's defaults are themselves what the schema asks for, with nothing in them that it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from api import schema as schemas
from api.field import FieldError, invalid
from api.schema.structural import Structural
from api.schema.validate import Validator


def validate_defaults(raw: Mapping[str, Any], at: str) -> list[FieldError]:
    """Of a structural schema."""
    return list(_below(raw, at))


def _below(raw: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    default = raw.get("default")
    if default is not None:
        yield from _one(raw, default, f"{at}.default")
    if isinstance(raw.get("items"), dict):
        yield from _below(raw["items"], f"{at}.items")
    if isinstance(raw.get("additionalProperties"), dict):
        yield from _below(raw["additionalProperties"], f"{at}.additionalProperties")
    for name, field in (raw.get("properties") or {}).items():
        yield from _below(field, f"{at}.properties[{name}]")


def _one(raw: Mapping[str, Any], default: Any, at: str) -> Iterator[FieldError]:
    node = Structural(raw)
    pruned = orjson.loads(orjson.dumps(default))
    if isinstance(default, dict | list) and schemas.prune(node, pruned) != default:
        yield invalid(at, default, "must not have unknown fields")
    for error in Validator(raw).problems(default):
        yield replace(error, field=at if error.field == "<nil>" else f"{at}.{error.field}")
