"""Rules of custom resources: when they run, what they see and what their refusals say."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from api.field import Path
from apiserver.cel import rules as module
from apiserver.cel.rulecheck import check_rules
from apiserver.cel.rules import rules_of, validate


def schema(spec: dict[str, Any], *rules: dict[str, Any]) -> dict[str, Any]:
    """A schema whose spec has these properties, and these rules."""
    inner: dict[str, Any] = {"type": "object", "properties": spec}
    if rules:
        inner["x-kubernetes-validations"] = list(rules)
    return {"type": "object", "properties": {"spec": inner}}


def problems(raw: dict[str, Any], new: Any, old: Any = None) -> list[str]:
    wrapped = None if old is None else {"spec": old}
    return [str(error) for error in validate(rules_of(raw), {"spec": new}, wrapped)]


REPLICAS = {
    "replicas": {"type": "integer"},
    "minReplicas": {"type": "integer"},
    "maxReplicas": {"type": "integer"},
    "name": {"type": "string"},
}


def test_a_schema_without_rules_costs_nothing() -> None:
    assert rules_of(schema(REPLICAS)) is None
    assert validate(None, {"spec": {}}) == []


@pytest.mark.parametrize(
    ("rule", "spec", "expected"),
    [
        ({"rule": "self.replicas <= self.maxReplicas"}, {"replicas": 1, "maxReplicas": 2}, []),
        (
            {"rule": "self.replicas <= self.maxReplicas"},
            {"replicas": 3, "maxReplicas": 2},
            ["spec: Invalid value: failed rule: self.replicas <= self.maxReplicas"],
        ),
        (
            {"rule": "self.replicas <= 2", "message": "too many"},
            {"replicas": 3},
            ["spec: Invalid value: too many"],
        ),
        (
            {"rule": "self.replicas <= 2", "messageExpression": "'at most 2, not ' + string(self.replicas)"},
            {"replicas": 3},
            ["spec: Invalid value: at most 2, not 3"],
        ),
        (
            {"rule": "self.replicas <= 2", "messageExpression": "self.name", "message": "fallback"},
            {"replicas": 3},
            ["spec: Invalid value: fallback"],
        ),
        (
            {"rule": "has(self.name)", "reason": "FieldValueRequired", "fieldPath": ".name", "message": "give a name"},
            {},
            ["spec.name: Required value: give a name"],
        ),
        (
            {"rule": "!has(self.name)", "reason": "FieldValueForbidden", "fieldPath": ".name"},
            {"name": "x"},
            ["spec.name: Forbidden: failed rule: !has(self.name)"],
        ),
        (
            {"rule": "self.replicas <= 2"},
            {},
            ['spec: Invalid value: "object": no such key: replicas evaluating rule: self.replicas <= 2'],
        ),
    ],
)
def test_a_refusal_says_what_the_rule_says(rule: dict[str, Any], spec: dict[str, Any], expected: list[str]) -> None:
    assert problems(schema(REPLICAS, rule), spec) == expected


def test_a_scalar_is_shown_and_an_object_is_not() -> None:
    raw = schema({"replicas": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 0"}]}})
    assert problems(raw, {"replicas": 0}) == ["spec.replicas: Invalid value: 0: failed rule: self > 0"]


def test_transition_rules_run_when_there_was_a_value() -> None:
    raw = schema(
        {"name": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "immutable"}]}}
    )
    assert problems(raw, {"name": "a"}) == []
    assert problems(raw, {"name": "a"}, {}) == []
    assert problems(raw, {"name": "a"}, {"name": "a"}) == []
    assert problems(raw, {"name": "b"}, {"name": "a"}) == ['spec.name: Invalid value: "b": immutable']


def test_an_optional_old_value_lets_a_transition_rule_run_on_create() -> None:
    rule = {"rule": "oldSelf.hasValue() || self.replicas == 1", "optionalOldSelf": True, "message": "begin with one"}
    raw = schema(REPLICAS, rule)
    assert problems(raw, {"replicas": 2}) == ["spec: Invalid value: begin with one"]
    assert problems(raw, {"replicas": 2}, {"replicas": 1}) == []


STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
STRINGS = {"type": "array", "items": STRING}
SET = {**STRINGS, "x-kubernetes-list-type": "set"}
TIME = {"type": "string", "format": "date-time"}
KINDS_OF_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("minReplicas", "replicas", "maxReplicas"), INTEGER),
    **dict.fromkeys(("health", "quota", "x-y"), STRING),
    **dict.fromkeys(("list1", "list2", "names"), STRINGS),
    **dict.fromkeys(("set1", "set2"), SET),
    **dict.fromkeys(("created", "expired"), TIME),
    "stateCounts": {"type": "object", "additionalProperties": INTEGER},
    "details": {"type": "object", "additionalProperties": STRING},
    "mm": {"type": "object", "additionalProperties": STRINGS},
    "envars": {
        "type": "array",
        "items": {"type": "object", "properties": {"name": STRING, "value": STRING}},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    },
    "widgets": {"type": "array", "items": {"type": "object", "properties": {"key": STRING, "foo": INTEGER}}},
    "nested": {"type": "array", "items": {"type": "array", "items": INTEGER}},
    "ttl": {"type": "string", "format": "duration"},
    "ios": {"x-kubernetes-int-or-string": True},
    "emb": {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    "nullable": {"type": "string", "nullable": True},
    "b": {"type": "boolean", "nullable": True},
    "num": {"type": "number"},
    "free": {"x-kubernetes-preserve-unknown-fields": True},
}
VALUES: dict[str, Any] = {
    "minReplicas": 1,
    "replicas": 2,
    "maxReplicas": 3,
    "health": "ok fine",
    "quota": "1Gi",
    "x-y": "q",
    "num": 1,
    "list1": [],
    "list2": ["a"],
    "names": ["a"],
    "set1": ["a"],
    "set2": ["b"],
    "nullable": None,
    "b": None,
    "created": "2026-01-01T00:00:00Z",
    "expired": "2026-01-03T00:00:00Z",
    "ttl": "24h",
    "ios": 42,
    "stateCounts": {"Available": 1},
    "details": {"a": "b"},
    "mm": {"a": ["x"]},
    "free": {"a": 1},
    "envars": [{"name": "MY_ENV", "value": "abc"}],
    "widgets": [{"key": "x", "foo": 3}],
    "nested": [[1, 2], [3]],
    "emb": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}},
}


@pytest.mark.parametrize("rule", pathlib.Path(__file__).with_name("rules.txt").read_text().splitlines())
def test_rules_over_fields_of_every_kind(rule: str) -> None:
    """The examples of Kubernetes' documentation, and more like them: each compiles against the schema, and holds."""
    assert problems(schema(KINDS_OF_FIELDS, {"rule": rule}), VALUES) == []


def keyed(rule: str, **extra: Any) -> dict[str, Any]:
    item = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": rule}],
    }
    return schema({"items": {"type": "array", "items": item, **extra}})


def test_elements_of_keyed_lists_find_their_old_selves_wherever_they_stand() -> None:
    raw = keyed(
        "self.size >= oldSelf.size", **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    )
    old = {"items": [{"name": "a", "size": 5}, {"name": "b", "size": 1}]}
    assert problems(raw, {"items": [{"name": "b", "size": 2}, {"name": "a", "size": 5}]}, old) == []
    assert problems(raw, {"items": [{"name": "b", "size": 2}, {"name": "a", "size": 4}]}, old) == [
        "spec.items[1]: Invalid value: failed rule: self.size >= oldSelf.size"
    ]


def test_what_has_not_changed_is_not_refused() -> None:
    raw = schema({"name": {"type": "string", "x-kubernetes-validations": [{"rule": "self != 'bad'"}]}, "n": {}})
    assert problems(raw, {"name": "bad", "n": 2}, {"name": "bad", "n": 1}) == []
    assert problems(raw, {"name": "bad"}, {"name": "good"}) != []


def test_maps_and_null_and_the_whole_object() -> None:
    raw = schema({"labels": {"type": "object", "additionalProperties": {"type": "string", "nullable": True}}})
    raw["properties"]["spec"]["properties"]["labels"]["additionalProperties"]["x-kubernetes-validations"] = [
        {"rule": "self.size() < 3"}
    ]
    raw["x-kubernetes-validations"] = [{"rule": "self.metadata.name.startsWith('a')"}]
    rules = rules_of(raw)
    new = {"metadata": {"name": "b"}, "spec": {"labels": {"x": "long", "y": None}}}
    assert [str(error) for error in validate(rules, new)] == [
        "<nil>: Invalid value: failed rule: self.metadata.name.startsWith('a')",
        'spec.labels[x]: Invalid value: "long": failed rule: self.size() < 3',
    ]


def test_values_are_what_their_formats_say() -> None:
    rule = {"rule": "self.until - self.since > duration('1h') && self.data == b'hi' && self.ratio / 2.0 < 1.0"}
    fields = {
        "since": {"type": "string", "format": "date-time"},
        "until": {"type": "string", "format": "date-time"},
        "data": {"type": "string", "format": "byte"},
        "ratio": {"type": "number"},
    }
    spec = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T02:00:00Z", "data": "aGk=", "ratio": 1}
    assert problems(schema(fields, rule), spec) == []


def test_the_order_of_a_set_does_not_count() -> None:
    names = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
    raw = schema({"names": names}, {"rule": "self.names == oldSelf.names", "message": "fixed"})
    assert problems(raw, {"names": ["b", "a"]}, {"names": ["a", "b"]}) == []
    assert problems(raw, {"names": ["b"]}, {"names": ["a", "b"]}) == ["spec: Invalid value: fixed"]


def test_all_rules_together_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PER_OBJECT", 50_000)
    numbers = {"type": "array", "items": {"type": "integer"}}
    rule = {"rule": "self.numbers.all(a, self.numbers.all(b, a == b || a != b))"}
    found = problems(schema({"numbers": numbers}, rule, rule), {"numbers": list(range(1000))})
    assert found == [
        'spec: Invalid value: "object": validation failed due to running out of cost budget, '
        "no further validation rules will be run"
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"rule": "self.replicas > 0"}, []),
        (
            {"rule": "self.replica > 0"},
            [
                "rule: Invalid value: {}: compilation failed: ERROR: <input>:1:5: undefined field 'replica'\n"
                " | self.replica > 0\n | ....^"
            ],
        ),
        ({"rule": "self.replicas + 1"}, ["rule: Invalid value: {}: cel expression must evaluate to a bool"]),
        ({"rule": " "}, ["rule: Required value: rule is not specified"]),
        (
            {"rule": "true", "message": "a\nb"},
            ['message: Invalid value: "a\\nb": message must not contain line breaks'],
        ),
        (
            {"rule": "true &&\ntrue"},
            ["message: Required value: message must be specified if rule contains line breaks"],
        ),
        (
            {"rule": "true", "messageExpression": "1"},
            ["messageExpression: Invalid value: {}: messageExpression must evaluate to a string"],
        ),
        (
            {"rule": "true", "fieldPath": ".foo"},
            ['fieldPath: Invalid value: ".foo": must be a valid path: does not refer to a valid field'],
        ),
        (
            {"rule": "true", "reason": "Because"},
            [
                'reason: Unsupported value: "Because": supported values: "FieldValueRequired", '
                '"FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate"'
            ],
        ),
    ],
)
def test_a_definition_is_refused_for_rules_that_cannot_be(rule: dict[str, Any], expected: list[str]) -> None:
    found = check_rules(schema(REPLICAS, rule), Path("schema"))
    where = "schema.properties[spec].x-kubernetes-validations[0]."
    shown = str(found[0]).split("{", 1)[0] if found and "{}" in expected[0] else ""
    texts = [str(error).removeprefix(where) for error in found]
    if shown:
        body = texts[0]
        texts = [body[: body.index("{")] + "{}" + body[body.index("}") + 1 :]]
    assert texts == expected


def test_old_values_cannot_be_asked_for_where_they_cannot_be_found() -> None:
    found = check_rules(keyed("self.size >= oldSelf.size"), Path("schema"))
    assert [str(error) for error in found] == [
        "schema.properties[spec].properties[items].items.x-kubernetes-validations[0].rule: Invalid value: "
        '"self.size >= oldSelf.size": oldSelf cannot be used on the uncorrelatable portion of the schema within '
        "schema.properties[spec].properties[items]"
    ]
