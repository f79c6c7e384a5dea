"""The OpenAPI documents: what `kubectl explain`, `apply` and `diff`, and client generators, learn the API from.

Everything follows from the registered kinds and the schema data. The functions are pure, and not cheap (a document with
all its prose is a megabyte): the caller keeps what they return, and nothing is made before somebody asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from api.schema.document import Writer, closure
from api.schema.node import UnknownDefinition, definition
from apiserver.endpoints import openapi_custom
from apiserver.endpoints.openapi_paths import paths
from apiserver.registry.kind import Kind

Json = dict[str, Any]

TITLE = "Kubernetes"
VERSION = "v1.36.0"

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_SHARED = (f"{_META}.DeleteOptions", f"{_META}.Status", f"{_META}.Patch")
_SUBRESOURCE_BODIES = {
    "binding": "io.k8s.api.core.v1.Binding",
    "eviction": "io.k8s.api.policy.v1.Eviction",
    "token": "io.k8s.api.authentication.v1.TokenRequest",
}


def group_path(group_version: str) -> str:
    """`v1` → `api/v1`, `apps/v1` → `apis/apps/v1`: how the index calls a document."""
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


def v3_index(kinds: Iterable[Kind]) -> Json:
    """What `/openapi/v3` answers: each group's document, with the hash by which clients cache it."""
    kinds = tuple(kinds)
    found: Json = {}
    for group_version in sorted({kind.api_version for kind in kinds}):
        path = group_path(group_version)
        found[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={v3_hash(group_version, kinds)}"}
    return {"paths": found}


def v3_hash(group_version: str, kinds: Iterable[Kind]) -> str:
    """Names the content of a document without making it: it changes when the kinds or their schemas do."""
    digest, kinds = hashlib.sha512(VERSION.encode()), tuple(kinds)
    for kind in _of_group(group_version, kinds):
        facts = (kind.kind, kind.plural, kind.namespaced, kind.status, kind.scale is not None, kind.subresources)
        digest.update(repr(facts).encode())
    chosen = _of_group(group_version, kinds)
    own = openapi_custom.definitions(chosen, 3)
    for name in closure(_definitions(chosen, own), own):
        digest.update(orjson.dumps({name: own.get(name) or definition(name)}))
    return digest.hexdigest().upper()


def v3_document(group_version: str, kinds: Iterable[Kind]) -> bytes:
    """What `/openapi/v3/api/v1` and `/openapi/v3/apis/{group}/{version}` answer, as JSON.

    Raises KeyError if no kind is of that group and version.
    """
    chosen = _of_group(group_version, kinds)
    if not chosen:
        raise KeyError(group_version)
    own = openapi_custom.definitions(chosen, 3)
    writer = Writer(3, own)
    document = {
        "openapi": "3.0.0",
        "info": {"title": TITLE, "version": VERSION},
        "paths": {f"/{path}": item for path, item in paths(chosen, writer).items()},
        "components": {"schemas": writer.schemas(_definitions(chosen, own))},
    }
    return orjson.dumps(document)


def v2(kinds: Iterable[Kind]) -> Json:
    """What `/openapi/v2` answers."""
    chosen = tuple(kinds)
    own = openapi_custom.definitions(chosen, 2)
    writer = Writer(2, own)
    return {
        "swagger": "2.0",
        "info": {"title": TITLE, "version": VERSION},
        "paths": {f"/{path}": item for path, item in paths(chosen, writer).items()},
        "definitions": writer.schemas(_definitions(chosen, own)),
    }


def _of_group(group_version: str, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    return tuple(kind for kind in kinds if kind.api_version == group_version)


def _definitions(kinds: Sequence[Kind], own: Mapping[str, Json]) -> list[str]:
    """Every type that the kinds' operations take or give; `own` are those that are in no data file."""
    names = set(_SHARED) | own.keys()
    for kind in kinds:
        names.update((kind.definition, f"{kind.definition}List"))
        names.update(_SUBRESOURCE_BODIES[name] for name in kind.subresources if name in _SUBRESOURCE_BODIES)
        if kind.scale is not None:
            names.add("io.k8s.api.autoscaling.v1.Scale")
    return sorted(name for name in names if name in own or _exists(name))


def _exists(name: str) -> bool:
    try:
        definition(name)
    except UnknownDefinition:
        return False
    return True
