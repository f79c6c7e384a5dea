"""Definitions and objects that are broken at random places are refused in words, and never by a crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api import metadata
from api.apply.managers import Scope, Writer, owned_after_create, owned_after_update
from api.apply.shapes import shape_of
from api.errors import BadRequest, StatusError
from apiserver.customresources.kinds import kinds_of
from apiserver.customresources.status import settle
from apiserver.endpoints.body import conform
from apiserver.registry.customresourcedefinition import KIND
from apiserver.registry.kind import Context, Kind, Object

CTX = Context(now=metadata.now())

LIST = {
    "type": "array",
    "items": {"type": "object", "properties": {"n": {"type": "string", "default": "x"}}},
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["n"],
}
EITHER = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
SPEC = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1},
        "list": LIST,
        "map": {"type": "object", "additionalProperties": EITHER, "maxProperties": 2},
        "inner": EMBEDDED,
    },
}
DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
                "subresources": {"scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "selectableFields": [{"jsonPath": ".spec.size"}],
            }
        ],
    },
}
THING: Object = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "a"},
    "spec": {
        "size": 3,
        "list": [{"n": "a"}, {}],
        "map": {"a": 1, "b": "c"},
        "inner": {"apiVersion": "v1", "kind": "A", "metadata": {"labels": {"a": "b"}}},
    },
}
KEYWORDS = st.sampled_from(
    ["nullable", "default", "enum", "not", "allOf", "items", "additionalProperties", "properties"]
)
VALUES = st.sampled_from(
    [None, 0, -1, 1.5, True, "", "x", "object", "array", ".", "(a", {}, [], {"a": 1}, ["x"], [None], {"type": "string"}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@st.composite
def broken(draw: st.DrawFn, whole: Object) -> Object:
    """`whole` with something else at one to three places."""
    result = deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(places(result))))
        place: Any = result
        for key in way:
            place = place[key]
        if isinstance(place, dict) and draw(st.booleans()):
            last = draw(KEYWORDS)
        place[last] = deepcopy(draw(VALUES))
        if not isinstance(result.get("metadata"), dict):
            result["metadata"] = {"name": "a"}
    return result


def complaints(kind: Kind, obj: Object) -> list[str]:
    """What is said against an object on its way to being made. Raises StatusError."""
    obj = conform(obj, kind, "Ignore", [])
    obj["metadata"].setdefault("name", "a")
    kind.strategy.default(obj)
    kind.strategy.prepare_for_create(obj, CTX)
    errors = [*kind.strategy.validate(obj, CTX), *kind.strategy.validate_update(obj, obj, CTX)]
    kind.strategy.warnings(obj)
    kind.strategy.fields(obj)
    for column in kind.columns:
        column.cell(obj, CTX.now)
    return [str(error) for error in errors]


@given(broken(DEFINITION), broken(THING))
@settings(max_examples=50, deadline=None)
def test_definitions(definition: Object, thing: Object) -> None:
    try:
        if complaints(KIND, definition):
            return
    except StatusError:
        return
    settle(definition, [], True, CTX.now)
    for kind in kinds_of(definition):
        with suppress(BadRequest):  # metadata that cannot be read
            complaints(kind, deepcopy(thing))


@given(broken(THING))
@settings(max_examples=50, deadline=None)
def test_objects(thing: Object) -> None:
    definition = deepcopy(DEFINITION)
    assert complaints(KIND, definition) == []
    settle(definition, [], True, CTX.now)
    (kind,) = kinds_of(definition)
    assert complaints(kind, deepcopy(THING)) == []
    with suppress(BadRequest):
        complaints(kind, thing)


@given(broken(THING), broken(THING))
@settings(max_examples=50, deadline=None)
def test_ownership(old: Object, new: Object) -> None:
    """Fields are tracked before an object is found to be invalid, and it is stored objects that schemas outlive."""
    definition = deepcopy(DEFINITION)
    assert complaints(KIND, definition) == []
    settle(definition, [], True, CTX.now)
    (kind,) = kinds_of(definition)
    scope, writer = Scope(kind.schema, "example.com/v1"), Writer("one", metadata.rfc3339(CTX.now))
    old["metadata"]["managedFields"] = owned_after_create(old, None, scope, writer)
    owned_after_update(new, old, None, scope, writer)
    shape = shape_of(kind.schema)
    tree = shape.fields(old) or {}
    shape.merge(old, new)
    shape.merge(new, old)
    shape.prune(old, tree, {})
    shape.prune(new, tree, {})
