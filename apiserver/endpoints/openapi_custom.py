"""The OpenAPI definitions of custom kinds, made of their own schemas.

Version 3 says all that a schema says. Version 2 cannot, and old clients stumble over what it cannot say: there a schema
is thinned until it is true of everything that the API takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from api.schema.structural import EMBEDDED, PRESERVE
from apiserver.registry.kind import Kind

Json = dict[str, Any]

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_TYPE_META: Json = {
    "apiVersion": {
        "type": "string",
        "description": "The version of the schema in which the object is written: group and version.",
    },
    "kind": {"type": "string", "description": "What the object is, in CamelCase. It cannot be changed."},
}
_NOT_IN_V2 = frozenset({"allOf", "anyOf", "oneOf", "not", "nullable", "default"})
_UNTYPED = frozenset({"type", "properties", "items", "additionalProperties", "required", "format"})


def definitions(kinds: Iterable[Kind], version: int) -> dict[str, Json]:
    """The definitions of the custom ones among the kinds, and of their lists, by name."""
    found: dict[str, Json] = {}
    for kind in kinds:
        if kind.own_schema is not None:
            found[kind.definition] = _object(kind, kind.own_schema.raw, version)
            found[f"{kind.definition}List"] = _list(kind)
    return found


def _object(kind: Kind, raw: Mapping[str, Any], version: int) -> Json:
    written = _resource(raw) if version == 3 else _thinned(raw)
    return {**written, **_type_meta(written, "ObjectMeta"), **_gvk(kind, kind.kind)}


def _list(kind: Kind) -> Json:
    items = {"type": "array", "items": {"$ref": kind.definition}, "description": f"The {kind.plural} in the list."}
    written: Json = {"properties": {"items": items}}
    return {
        "type": "object",
        "description": f"{kind.list_name} is a list of {kind.kind}",
        "required": ["items"],
        **_type_meta(written, "ListMeta"),
        **_gvk(kind, kind.list_name),
    }


def _type_meta(written: Json, metadata: str) -> Json:
    properties = written.get("properties") or {}
    return {"properties": {**properties, **_TYPE_META, "metadata": {"$ref": f"{_META}.{metadata}"}}}


def _gvk(kind: Kind, name: str) -> Json:
    return {"x-kubernetes-group-version-kind": [{"group": kind.group, "kind": name, "version": kind.version}]}


def _resource(raw: Mapping[str, Any]) -> Json:
    """A schema with the fields that embedded resources have without saying so."""
    written = {key: _below(key, value, _resource) for key, value in raw.items()}
    if raw.get(EMBEDDED):
        written |= _type_meta(written, "ObjectMeta")
    return written


def _thinned(raw: Mapping[str, Any]) -> Json:
    """What version 2 can say: of a value that may be null or anything, nothing."""
    left_out = _NOT_IN_V2
    if raw.get("nullable") or raw.get(PRESERVE) or raw.get("x-kubernetes-int-or-string"):
        left_out |= _UNTYPED
    written = {key: _below(key, value, _thinned) for key, value in raw.items() if key not in left_out}
    if raw.get(EMBEDDED) and not raw.get(PRESERVE):
        written |= _type_meta(written, "ObjectMeta")
    return written


def _below(key: str, value: Any, write: Any) -> Any:
    if key in ("items", "additionalProperties", "not") and isinstance(value, Mapping):
        return write(value)
    if key == "properties":
        return {name: write(child) for name, child in value.items()}
    return value
