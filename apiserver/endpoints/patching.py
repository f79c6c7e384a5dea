"""PATCH: which kind of patch it is, and what it makes of an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from api.codec import json_problem, media_type
from api.errors import BadRequest, UnsupportedMediaType
from api.patch import json_patch, merge_patch, strategic_merge
from api.schema import Schema
from apiserver.endpoints.http import Request
from apiserver.registry.kind import Object

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
ACCEPTED = (JSON_PATCH, MERGE, STRATEGIC)


async def read_patch(request: Request, schema: Schema) -> Callable[[Object], Object]:
    """The patch in the body, as the function that applies it. Raises BadRequest, UnsupportedMediaType."""
    media = media_type(request.header(b"content-type"))
    accepted = tuple(each for each in ACCEPTED if each != STRATEGIC) if schema.custom else ACCEPTED
    if media not in accepted:
        raise UnsupportedMediaType(accepted)
    body = await request.body()
    try:
        patch: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"error decoding patch: {json_problem(body)}") from error
    if media != JSON_PATCH and not isinstance(patch, dict):
        raise BadRequest("error decoding patch: a merge patch is an object")
    return lambda old: _object(apply(media, old, patch, schema))


def apply(media: str, old: Object, patch: Any, schema: Schema) -> Any:
    """The document after the patch; `old` stays as it is. Raises api.patch.PatchError."""
    if media == JSON_PATCH:
        return json_patch(old, patch)
    if media == MERGE:
        return merge_patch(old, patch)
    return strategic_merge(old, patch, schema)


def _object(value: Any) -> Object:
    if not isinstance(value, dict):
        raise BadRequest("the patch leaves no object")
    # What a patch leaves alone it shares with the old object, and what is written is changed in place.
    copy: Object = orjson.loads(orjson.dumps(value))
    return copy
