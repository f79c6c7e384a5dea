"""Request bodies: decoded, checked against the kind's schema, and brought into the form that is stored."""

from __future__ import annotations

from typing import Any

from api import schema as schemas
from api.codec import (
    JSON,
    PROTOBUF,
    YAML,
    decode_body,
    duplicate_fields,
    media_type,
    strict_error,
    strict_problems,
)
from api.errors import BadRequest, UnsupportedMediaType
from apiserver.endpoints.http import Request
from apiserver.endpoints.objectmeta import metadata_of
from apiserver.endpoints.options import FieldValidation
from apiserver.registry import KINDS
from apiserver.registry.kind import Kind, Object


async def read_object(request: Request, kind: Kind, validation: FieldValidation) -> Object:
    """The object of `kind` in the body. Raises BadRequest, UnsupportedMediaType, RequestEntityTooLarge."""
    body = await request.body()
    content_type = request.header(b"content-type")
    if kind.schema.custom and media_type(content_type) == PROTOBUF:
        raise UnsupportedMediaType((JSON, YAML))  # nobody knows a custom kind's field numbers
    obj = decode_body(body, content_type, kind.kind)
    check_kind(obj, kind.group, kind.version, kind.kind)
    duplicates = [] if validation == "Ignore" else duplicate_fields(body, content_type, obj)
    return conform(obj, kind, validation, request.warnings, duplicates)


async def read_typed(request: Request, definition: str, group: str, version: str, kind: str) -> Object:
    """An object that is no served kind of its own: an Eviction, a Binding, a TokenRequest. Raises as `read_object`."""
    obj = decode_body(await request.body(), request.header(b"content-type"), kind)
    check_kind(obj, group, version, kind)
    schema = schemas.load(definition)
    if problem := schemas.type_error(schema, kind, version, obj):
        raise BadRequest(problem)
    schemas.prune(schema, obj)
    return obj


def conform(
    obj: Object, kind: Kind, validation: FieldValidation, warnings: list[str], duplicates: list[str] | None = None
) -> Object:
    """Check `obj` and drop what the schema does not know, saying so as `validation` asks. Raises BadRequest."""
    schema = kind.schema
    if not duplicates and schemas.exact(schema, obj):
        return obj
    if problem := schemas.type_error(schema, kind.kind, kind.version, obj):
        raise BadRequest(problem)
    if validation != "Ignore":
        problems = strict_problems(schemas.unknown_fields(schema, obj), duplicates or ())
        if problems and validation == "Strict":
            raise strict_error(kind.kind, kind.version, problems)
        warnings.extend(problems)
    return schemas.prune(schema, obj)


def check_kind(obj: Object, group: str, version: str, kind: str) -> None:
    """An object may leave its type out, but not name another. Raises BadRequest."""
    expected = f"{group}/{version}" if group else version
    given_version, given_kind = _text(obj, "apiVersion") or expected, _text(obj, "kind") or kind
    if given_kind != kind:
        short = given_version.rpartition("/")[2]
        why = f'no kind "{given_kind}" is registered for version "{given_version}" in scheme "pytheas"'
        if any(each.kind == given_kind and each.api_version == given_version for each in KINDS):
            package = (group or "core").partition(".")[0]
            why = f"converting ({short}.{given_kind}) to ({package}.{kind}): unknown conversion"
        raise BadRequest(f'{given_kind} in version "{short}" cannot be handled as a {kind}: {why}')
    if given_version != expected:
        what = f"({given_version}) does not match the expected API version ({expected})"
        raise BadRequest(f"the API version in the data {what}")
    obj["apiVersion"], obj["kind"] = expected, kind


def check_name(obj: Object, name: str) -> None:
    """The name in the object must be that of the path. Raises BadRequest."""
    meta = metadata_of(obj)
    given = meta.get("name")
    if not given:
        meta["name"] = name
    elif given != name:
        raise BadRequest(f"the name of the object ({given}) does not match the name on the URL ({name})")


def _text(obj: Object, field: str) -> str:
    value: Any = obj.get(field)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{field} must be a string")
    return value or ""
