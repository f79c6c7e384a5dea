"""What holds for every schema and value: the quick answer is the long one's, and doing it twice changes nothing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api import schema as schemas
from api.schema import structural
from api.schema.defaults import defaulter
from api.schema.validate import Validator

NAMES = st.sampled_from(["a", "b", "name"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from([0.5, 1.0, 7.25]),
    st.sampled_from(["", "a", "xyz", "9"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)

LEAVES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(1, 3),
            "pattern": st.sampled_from(["^[a-z]*$", "9"]),
            "enum": st.just(["a", "9", None]),
            "nullable": st.booleans(),
            "default": st.just("a"),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={
            "minimum": st.integers(-1, 3),
            "maximum": st.integers(3, 9),
            "exclusiveMaximum": st.booleans(),
            "multipleOf": st.sampled_from([1, 2, 0.5]),
        },
    ),
    st.just({"type": "boolean", "default": True}),
    st.just({"x-kubernetes-int-or-string": True}),
    st.just({"x-kubernetes-preserve-unknown-fields": True}),
    st.just({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
)


def _nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    alternatives = st.just([{"required": ["a"]}, {"required": ["b"]}])
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
        optional={
            "required": st.lists(NAMES, max_size=1),
            "maxProperties": st.integers(1, 2),
            "nullable": st.booleans(),
            "oneOf": alternatives,
            "anyOf": alternatives,
            "not": st.just({"required": ["name"]}),
        },
    )
    maps = st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner})
    lists = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"maxItems": st.integers(1, 2), "x-kubernetes-list-type": st.just("set")},
    )
    return objects | maps | lists


SCHEMAS = st.recursive(LEAVES, _nested, max_leaves=6)


@given(SCHEMAS, VALUES)
@settings(max_examples=150, deadline=None)
def test_a_value_is_good_or_something_is_said_against_it(raw: dict[str, Any], value: Any) -> None:
    validator = Validator(raw)
    before = deepcopy(value)
    problems = validator.problems(value, "spec")
    assert validator.valid(value) is (problems == [])
    assert validator.problems(value, "spec", value) == []  # what has not changed is not complained about
    assert value == before


@given(SCHEMAS, VALUES)
@settings(max_examples=150, deadline=None)
def test_pruning_once_is_enough(raw: dict[str, Any], value: Any) -> None:
    schema = structural({"type": "object", "properties": {"spec": raw}})
    obj = {"metadata": {"name": "a"}, "spec": value, "extra": 1}
    pruned = schemas.prune(schema, deepcopy(obj))
    assert "extra" not in pruned
    assert schemas.prune(schema, deepcopy(pruned)) == pruned
    assert schemas.unknown_fields(schema, pruned) == []
    if schemas.exact(schema, obj):
        assert pruned == obj


@given(SCHEMAS, VALUES)
@settings(max_examples=150, deadline=None)
def test_defaults_once_are_enough(raw: dict[str, Any], value: Any) -> None:
    schema = structural({"type": "object", "properties": {"spec": raw}})
    fill = defaulter(schema)
    if fill is None:
        return
    obj: dict[str, Any] = {"spec": deepcopy(value)}
    fill(obj)
    again = deepcopy(obj)
    fill(again)
    assert again == obj
    schemas.prune(schema, obj)
    fill(obj)
    settled = deepcopy(obj)
    fill(settled)
    assert settled == obj
