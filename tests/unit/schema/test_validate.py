"""The words of validation are the API's own; what did not change is not complained about."""

from __future__ import annotations

from typing import Any

import pytest

from api.schema.validate import ABSENT, Validator

CRON = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["cronSpec"],
            "properties": {
                "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
                "replicas": {"type": "integer", "minimum": 1, "maximum": 10},
                "policy": {"type": "string", "enum": ["Never", "Always"]},
                "share": {"type": "number", "exclusiveMaximum": True, "maximum": 1.5, "multipleOf": 0.5},
                "port": {"x-kubernetes-int-or-string": True, "nullable": True},
                "when": {"type": "string", "format": "date-time"},
                "short": {"type": "string", "maxLength": 3, "minLength": 2},
                "set": {
                    "type": "array",
                    "maxItems": 3,
                    "minItems": 1,
                    "items": {"type": "string"},
                    "x-kubernetes-list-type": "set",
                },
                "byName": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"name": {"type": "string"}, "x": {"type": "integer"}}},
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                },
                "map": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2},
                "either": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                    "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
                "some": {"type": "integer", "anyOf": [{"maximum": 3}, {"minimum": 7}], "not": {"enum": [2]}},
            },
        }
    },
}
VALIDATOR = Validator(CRON)


def said(spec: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    new = {"spec": {"cronSpec": "* * * * *", **spec}}
    before = ABSENT if old is None else {"spec": {"cronSpec": "* * * * *", **old}}
    return [str(error) for error in VALIDATOR.problems(new, "", before)]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"cronSpec": "hourly"},
            r'spec.cronSpec: Invalid value: "hourly": spec.cronSpec in body should match '
            r"'^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$'",
        ),
        (
            {"replicas": 11},
            "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10",
        ),
        (
            {"replicas": 0},
            "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
        ),
        (
            {"replicas": "2"},
            'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
        ),
        (
            {"map": {"a": 1e20}},
            'spec.map.a: Invalid value: "number": spec.map.a in body must be of type integer: "number"',
        ),
        (
            {"replicas": True},
            'spec.replicas: Invalid value: "boolean": spec.replicas in body must be of type integer: "boolean"',
        ),
        (
            {"replicas": None},
            'spec.replicas: Invalid value: "null": spec.replicas in body must be of type integer: "null"',
        ),
        ({"policy": "Often"}, 'spec.policy: Unsupported value: "Often": supported values: "Never", "Always"'),
        ({"share": 1.5}, "spec.share: Invalid value: 1.5: spec.share in body should be less than 1.5"),
        ({"share": 0.7}, "spec.share: Invalid value: 0.7: spec.share in body should be a multiple of 0.5"),
        (
            {"port": False},
            'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
        ),
        ({"when": "noon"}, 'spec.when: Invalid value: "noon": spec.when in body must be of type date-time: "noon"'),
        ({"short": "long"}, "spec.short: Too long: may not be more than 3 bytes"),
        ({"short": "l"}, 'spec.short: Invalid value: "l": spec.short in body should be at least 2 chars long'),
        ({"set": ["a", "b", "c", "d"]}, "spec.set: Too many: 4: must have at most 3 items"),
        ({"set": []}, "spec.set: Invalid value: 0: spec.set in body should have at least 1 items"),
        ({"set": ["a", "b", "a"]}, 'spec.set[2]: Duplicate value: "a"'),
        (
            {"set": ["a", 7]},
            'spec.set[1]: Invalid value: "integer": spec.set[1] in body must be of type string: "integer"',
        ),
        (
            {"byName": [{"name": "a"}, {"name": "b"}, {"name": "a", "x": 1}]},
            'spec.byName[2]: Duplicate value: {"name":"a"}',
        ),
        ({"map": {"a": 1, "b": 2, "c": 3}}, "spec.map: Too many: 3: must have at most 2 items"),
        (
            {"map": {"a": "b"}},
            'spec.map.a: Invalid value: "string": spec.map.a in body must be of type integer: "string"',
        ),
        (
            {"either": {"a": "", "b": ""}},
            '<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). '
            "Found 2 valid alternatives",
        ),
        ({"some": 2}, '<nil>: Invalid value: "": "spec.some" must not validate the schema (not)'),
    ],
)
def test_words(spec: dict[str, Any], expected: str) -> None:
    assert said(spec) == [expected]


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 3.0, "policy": "Never", "share": 1, "port": None, "when": "2026-11-22T11:00:00Z", "short": "abc"},
        {"port": "http", "set": ["a", "b"], "byName": [{"name": "a"}, {"name": "b"}], "map": {"a": 1}},
        {"either": {"a": ""}, "some": 8, "unknown": {"stays": [1]}},
    ],
)
def test_what_is_right(spec: dict[str, Any]) -> None:
    assert said(spec) == []


def test_several_at_once() -> None:
    assert said({"either": {}}) == [
        '<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found none valid',
        "spec.either.a: Required value",
    ]
    assert [str(error) for error in VALIDATOR.problems({})] == ["spec: Required value"]
    assert [str(error) for error in VALIDATOR.problems({"spec": {}})] == ["spec.cronSpec: Required value"]


def test_what_was_wrong_before_may_stay() -> None:
    assert said({"replicas": 11, "short": "ab"}, old={"replicas": 11}) == []
    assert len(said({"replicas": 12}, old={"replicas": 11})) == 1
    wrong = {"name": "a", "x": "y"}
    assert said({"byName": [{"name": "b"}, wrong]}, old={"byName": [wrong]}) == []
    assert len(said({"set": ["a", 7, "c"]}, old={"set": ["a", 7]})) == 1  # elements of such a list have no identity


def test_true_is_not_one() -> None:
    assert Validator({"enum": [1]}).problems(True, "x")
    assert not Validator({"enum": [1]}).problems(1, "x")
