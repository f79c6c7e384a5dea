"""Pruning, defaults and nulls of custom resources."""

from __future__ import annotations

from typing import Any

from api import schema
from api.schema import Form, structural
from api.schema.defaults import defaulter

THING = structural(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer", "default": 3},
                    "port": {"x-kubernetes-int-or-string": True},
                    "free": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                        "properties": {"tight": {"type": "object", "properties": {"a": {"type": "string"}}}},
                    },
                    "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "any": {"x-kubernetes-preserve-unknown-fields": True},
                    "empty": {"type": "object"},
                    "null": {"type": "string", "nullable": True, "default": "x"},
                    "tags": {"type": "array", "items": {"type": "string", "default": "t"}},
                    "limits": {
                        "type": "object",
                        "default": {"cpu": {}},
                        "additionalProperties": {
                            "type": "object",
                            "properties": {"unit": {"type": "string", "default": "m"}},
                        },
                    },
                    "template": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                    },
                },
            }
        },
    }
)


def conformed(spec: Any) -> Any:
    obj = {"apiVersion": "a/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": spec}
    schema.prune(THING, obj)
    return obj["spec"]


def test_unknown_fields_go_and_preserved_ones_stay() -> None:
    spec = {
        "x": 1,
        "free": {"new": {"y": 1}, "tight": {"a": "", "b": ""}},
        "open": {"z": [None, {"a": None}]},
        "any": {"deep": {"er": 1}},
        "empty": {"gone": 1},
        "tags": ["a"],
    }
    assert schema.unknown_fields(THING, {"spec": spec, "metadata": {"nme": ""}}) == [
        "spec.x",
        "spec.free.tight.b",
        "spec.empty.gone",
        "metadata.nme",
    ]
    assert conformed(spec) == {
        "free": {"new": {"y": 1}, "tight": {"a": ""}},
        "open": {"z": [None, {"a": None}]},
        "any": {"deep": {"er": 1}},
        "empty": {},
        "tags": ["a"],
    }


def test_embedded_objects_keep_what_every_object_has() -> None:
    template = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": {"a": "b"}, "creationTimestamp": None, "x": 1},
        "spec": {"anything": 1},
        "status": {},
    }
    assert conformed({"template": template}) == {
        "template": {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"labels": {"a": "b"}},
            "spec": {"anything": 1},
        }
    }


def test_wrong_types_are_no_decoding_errors_but_for_metadata() -> None:
    spec = {"size": "big", "tags": "many", "free": [], "open": 7, "limits": "none"}
    assert schema.type_error(THING, "Thing", "v1", {"metadata": {}, "spec": spec}) is None
    assert conformed(dict(spec)) == spec
    problem = schema.type_error(THING, "Thing", "v1", {"metadata": {"labels": "a"}})
    assert problem is not None
    assert "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels" in problem
    inner = {"spec": {"template": {"metadata": {"labels": 7}}}}
    assert "labels of type map[string]string" in (schema.type_error(THING, "Thing", "v1", inner) or "")


def test_nulls_mean_nothing_unless_nullable() -> None:
    assert conformed({"size": None, "null": None, "any": None, "tags": [None]}) == {"null": None, "tags": [None]}


def test_defaults() -> None:
    fill = defaulter(THING)
    assert fill is not None
    obj: dict[str, Any] = {"spec": {"tags": ["a", None], "limits": {"mem": {}}, "null": None}}
    fill(obj)
    assert obj["spec"] == {"size": 3, "tags": ["a", "t"], "limits": {"mem": {"unit": "m"}}, "null": None}
    fresh: dict[str, Any] = {"spec": {}}
    fill(fresh)
    assert fresh["spec"] == {"size": 3, "limits": {"cpu": {"unit": "m"}}, "null": "x"}
    again: dict[str, Any] = {"spec": {}}
    fill(again)
    assert again["spec"]["limits"] is not fresh["spec"]["limits"]
    untouched: dict[str, Any] = {}
    fill(untouched)
    assert untouched == {}  # the object around a default has to be there


def test_no_defaults_cost_nothing() -> None:
    assert defaulter(structural({"type": "object", "properties": {"spec": {"type": "object"}}})) is None


def test_forms() -> None:
    fields = THING.properties["spec"].properties
    assert fields["port"].form is Form.INT_OR_STRING
    assert (fields["open"].form, fields["free"].form, fields["empty"].form) == (Form.OBJECT, Form.STRUCT, Form.STRUCT)
    assert fields["any"].form is Form.ANY
    assert fields["limits"].form is Form.MAP


def test_whole_numbers_become_integers_where_integers_are_wanted() -> None:
    found = conformed({"size": 3.0})["size"]
    assert (found, type(found)) == (3, int)
    assert conformed({"size": 3.5}) == {"size": 3.5}
