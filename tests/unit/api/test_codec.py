"""Request bodies: JSON and YAML, good and bad."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import codec
from api.errors import BadRequest, UnsupportedMediaType
from api.yaml import documents
from tests.unit.api.objects import deployment, json_objects

PREFIX = "the object provided is unrecognized (must be of type Deployment): "


def decode(body: bytes, media: str = codec.JSON) -> dict[str, Any]:
    return codec.decode_body(body, media, "Deployment")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "unexpected end of JSON input (<empty>)"),
        (b'{"a":1', 'unexpected end of JSON input ({"a":1)'),
        (b'{"a":"x', 'unexpected end of JSON input ({"a":"x)'),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string ({\"a\":1,})"),
        (b'{"a" 1}', "invalid character '1' after object key ({\"a\" 1})"),
        (b'{"a":1 "b":2}', 'invalid character \'"\' after object key:value pair ({"a":1 "b":2})'),
        (b'{"a":[1 2]}', "invalid character '2' after array element ({\"a\":[1 2]})"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string ({a:1})"),
        (b"nope", "invalid character 'o' in literal null (expecting 'u') (6e6f7065)"),
        (b'{"a":tru}', "invalid character '}' in literal true (expecting 'e') ({\"a\":tru})"),
        (b'{"a":NaN}', "invalid character 'N' looking for beginning of value ({\"a\":NaN})"),
        (b'{"a":1} x', "invalid character 'x' after top-level value ({\"a\":1} x)"),
        (b'{"a":"\\x"}', 'invalid character \'x\' in string escape code ({"a":"\\x"})'),
    ],
)
def test_malformed_json_is_told_in_the_decoders_words(body: bytes, problem: str) -> None:
    with pytest.raises(BadRequest) as raised:
        decode(body)
    assert raised.value.message == f"{PREFIX}couldn't get version/kind; json parse error: {problem}"


def test_other_json_than_objects_is_refused() -> None:
    with pytest.raises(BadRequest, match="json: cannot unmarshal array into Go value of type struct"):
        decode(b"[1]")


def test_long_bodies_are_cut_in_the_message() -> None:
    with pytest.raises(BadRequest, match=r"\(\{x{29} \.\.\.\)$"):
        decode(b"{" + b"x" * 99)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BadRequest):
        decode(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_media_types() -> None:
    assert decode(b'{"a":1}', "") == decode(b'{"a":1}', "application/json; charset=utf-8") == {"a": 1}
    assert decode(b"a: 1", "application/yaml") == decode(b"a: 1", "text/x-yaml") == {"a": 1}
    with pytest.raises(UnsupportedMediaType) as raised:
        decode(b"<a/>", "application/xml")
    assert raised.value.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


@given(st.binary(max_size=40))
def test_any_bytes_are_an_object_or_a_bad_request(body: bytes) -> None:
    for media in codec.ACCEPTED:
        try:
            obj = decode(body, media)
        except BadRequest:
            continue
        assert isinstance(obj, dict)


def test_duplicates_are_found_where_they_stand() -> None:
    body = b'{"spec":{"replicas":1,"replicas":2,"replicas":3,"c":[{"name":"a"},{"name":"a","name":"b"}]}}'
    assert codec.duplicate_fields(body, codec.JSON, decode(body)) == [
        'duplicate field "spec.replicas"',
        'duplicate field "spec.c[1].name"',
    ]


@given(json_objects)
def test_what_is_said_once_is_no_duplicate(obj: dict[str, Any]) -> None:
    for body in (orjson.dumps(obj), json.dumps(obj, indent=2).encode()):
        assert codec.duplicate_fields(body, codec.JSON, decode(body)) == []


def test_strict_messages() -> None:
    problems = codec.strict_problems(["spec.foo"], ['duplicate field "spec.replicas"'])
    assert codec.strict_error("Deployment", "v1", problems).message == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        'unknown field "spec.foo", duplicate field "spec.replicas"'
    )


def test_yaml_has_jsons_types() -> None:
    text = b"""
a: [1, 0644, 0x10, 1e3, 1.5, -3, 1_000]
b: [12:30:45, 2026-11-22, 1.2.3, '1', 08:00]
c: [yes, off, ~, null, ]
"""
    assert decode(text, codec.YAML) == {
        "a": [1, 420, 16, 1000.0, 1.5, -3, 1000],
        "b": ["12:30:45", "2026-11-22", "1.2.3", "1", "08:00"],
        "c": [True, False, None, None],
    }
    assert decode(b"1: a\ntrue: b\n~: c\n2.5: d\nf:\n", codec.YAML) == {
        "1": "a",
        "true": "b",
        "null": "c",
        "2.5": "d",
        "f": None,
    }


@given(json_objects)
def test_json_is_yaml(obj: dict[str, Any]) -> None:
    assert decode(json.dumps(obj, indent=1).encode(), codec.YAML) == obj


def test_yaml_anchors_and_merges() -> None:
    body = b"base: &b {x: 1, y: 2}\nother: {<<: *b, y: 3}\nlist: [*b]\n"
    assert decode(body, codec.YAML) == {"base": {"x": 1, "y": 2}, "other": {"x": 1, "y": 3}, "list": [{"x": 1, "y": 2}]}
    assert codec.duplicate_fields(body, codec.YAML, {}) == []


def test_yaml_problems() -> None:
    with pytest.raises(BadRequest, match="error converting YAML to JSON: yaml: line 1: mapping values are not allowed"):
        decode(b"a: b: c", codec.YAML)
    with pytest.raises(BadRequest, match="cannot unmarshal array"):
        decode(b"- a", codec.YAML)
    with pytest.raises(BadRequest):
        decode(b"!!python/object/apply:os.system [true]", codec.YAML)
    assert codec.duplicate_fields(b"a: 1\nb:\n  c: 1\n  c: 2\n", codec.YAML, {}) == [
        'yaml: unmarshal errors:\n  line 4: key "c" already set in map'
    ]


def test_aliases_cannot_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(BadRequest, match="excessive aliasing"):
        decode("\n".join(lines).encode(), codec.YAML)
    with pytest.raises(BadRequest):
        decode(b"a: &a [*a]", codec.YAML)
    with pytest.raises(BadRequest):
        decode(b"a: " + b"[" * 5000 + b"]" * 5000, codec.YAML)


def test_streams_of_documents() -> None:
    text = "---\na: 1\n---\n# nothing\n---\nb: 2\n"
    assert list(documents(text)) == [{"a": 1}, {"b": 2}]
    assert list(documents(json.dumps(deployment()))) == [deployment()]
