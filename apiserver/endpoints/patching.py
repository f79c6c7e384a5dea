"""PATCH: which kind of patch it is, what it makes of an object, and what is wrong with the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from api import schema as schemas
from api.codec import JSON, duplicate_fields, json_problem, media_type, strict_problems
from api.errors import BadRequest, Invalid, UnsupportedMediaType
from api.field import invalid
from api.patch import json_patch, merge_patch, strategic_merge
from api.schema import Schema
from api.strategic import go_map
from apiserver.endpoints.applying import APPLY
from apiserver.endpoints.http import Request
from apiserver.endpoints.options import FieldValidation
from apiserver.registry.kind import Kind, Object

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
ACCEPTED = (JSON_PATCH, MERGE, STRATEGIC, APPLY)
_MEMBERS = frozenset({"op", "path", "from", "value"})


def media_of(request: Request, schema: Schema) -> str:
    """Which kind of patch the request is. Raises UnsupportedMediaType."""
    media = media_type(request.header(b"content-type"))
    # What strategic merge goes by is not in a custom resource's schema.
    accepted = tuple(each for each in ACCEPTED if each != STRATEGIC) if schema.custom else ACCEPTED
    if media not in accepted:
        raise UnsupportedMediaType(accepted)
    return media


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch that is not an apply. `problems` is what strict field validation has against the patch itself."""

    media: str
    content: Any
    schema: Schema
    problems: list[str] = field(default_factory=list)

    def apply(self, old: Object) -> Object:
        """The object after the patch: a fresh dict. Raises StatusError."""
        patched = self._applied(old)
        if not isinstance(patched, dict):
            raise BadRequest("the patch leaves no object")
        # What a patch leaves alone it shares with the old object, and what is written is changed in place.
        copy: Object = orjson.loads(orjson.dumps(patched))
        return copy

    def _applied(self, old: Object) -> Any:
        if self.media == JSON_PATCH:
            return json_patch(old, self.content)
        if self.media == MERGE:
            return merge_patch(old, self.content)
        return strategic_merge(old, self.content, self.schema)

    def settle(self, obj: Object, kind: Kind, validation: FieldValidation, warnings: list[str]) -> None:
        """Bring the patched object into the form that is stored. Raises Invalid."""
        schema = kind.schema
        if not self.problems and schemas.exact(schema, obj):
            return
        if problem := schemas.type_error(schema, kind.kind, kind.version, obj):
            raise self._invalid(obj, problem.partition(f"cannot be handled as a {kind.kind}: ")[2] or problem)
        if validation != "Ignore":
            problems = strict_problems(schemas.unknown_fields(schema, obj), self.problems)
            if problems and validation == "Strict":
                raise self._invalid(obj, "strict decoding error: " + ", ".join(problems))
            warnings.extend(problems)
        schemas.prune(schema, obj)

    def _invalid(self, obj: Object, problem: str) -> Invalid:
        shown = go_map(self.content) if self.media == STRATEGIC else orjson.dumps(obj).decode()
        return Invalid("", "", "", [invalid("patch", shown, problem)])


async def read_patch(request: Request, schema: Schema) -> Patch:
    """The patch in the body. Raises BadRequest, UnsupportedMediaType, RequestEntityTooLarge."""
    media = media_of(request, schema)
    body = await request.body()
    try:
        content: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"error decoding patch: {json_problem(body)}") from error
    wanted, go_type = (list, "[]handlers.jsonPatchOp") if media == JSON_PATCH else (dict, "map[string]interface {}")
    if not isinstance(content, wanted):
        found = {dict: "object", list: "array", str: "string", bool: "bool", type(None): "null"}
        name = found.get(type(content), "number")
        raise BadRequest(f"error decoding patch: json: cannot unmarshal {name} into Go value of type {go_type}")
    return Patch(media, content, schema, _problems(media, body, content))


def _problems(media: str, body: bytes, content: Any) -> list[str]:
    """What the patch says twice, and what no operation of a JSON patch has."""
    if media != JSON_PATCH:
        return duplicate_fields(body, JSON, content)
    problems = []
    for index, operation in enumerate(content):
        unknown = [key for key in operation if key not in _MEMBERS] if isinstance(operation, dict) else []
        problems += [f'json patch unknown field "[{index}].{key}"' for key in unknown]
    return problems + [f"json patch {each}" for each in duplicate_fields(body, JSON, content)]
