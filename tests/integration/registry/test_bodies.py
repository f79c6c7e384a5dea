"""Bodies that are wrong before the kind's own rules are asked: text, fields, types, size; and selectors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.registry.conftest import Api
from tests.unit.registry.objects import pod
from tests.unit.registry.support import edited

UNKNOWN = edited(edited(pod(), "metadata.namespace", None), "spec.containers.0.imag", "nginx")


def test_an_unknown_field_is_refused_when_asked_to_be_strict(api: Api, namespace: str) -> None:
    path = f"/api/v1{namespace}/pods"
    answer = api.post(f"{path}?fieldValidation=Strict", UNKNOWN)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imag"'
    )
    assert api.names(path) == []


@pytest.mark.parametrize("validation", ["Warn", "Ignore"])
def test_an_unknown_field_is_dropped_otherwise(api: Api, namespace: str, validation: str) -> None:
    made = api.made(f"/api/v1{namespace}/pods?fieldValidation={validation}", UNKNOWN)
    assert "imag" not in made["spec"]["containers"][0]


MALFORMED: list[tuple[str, bytes, int]] = [
    ("application/json", b'{"kind": "ConfigMap", "metadata": {', 400),
    ("application/json", b"[]", 400),
    ("application/json", b"", 400),
    ("application/yaml", b"kind: ConfigMap\n\tmetadata: {}", 400),
    ("application/yaml", b"- a\n- b\n", 400),
    ("application/vnd.kubernetes.protobuf", b"k8s\x00\xff\xff\xff", 400),
    ("text/plain", b"hello", 415),
]


@pytest.mark.parametrize(("content_type", "body", "code"), MALFORMED)
def test_malformed(api: Api, namespace: str, content_type: str, body: bytes, code: int) -> None:
    path = f"/api/v1{namespace}/configmaps"
    answer = api.post(path, body, content_type)
    assert answer.code == code, answer
    assert answer.body["kind"] == "Status"
    assert api.names(path) == []


TYPES: list[tuple[str, Any, str]] = [
    ("spec.containers.0.image", 1, "cannot unmarshal number into Go struct field Container.spec.containers.image"),
    ("spec.containers", {}, "cannot unmarshal object into Go struct field PodSpec.spec.containers"),
    ("spec.hostNetwork", "yes", "cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"),
    ("metadata.labels", {"a": 1}, "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels"),
    ("spec.terminationGracePeriodSeconds", 1.5, "cannot unmarshal number 1.5 into Go struct field"),
]


@pytest.mark.parametrize(("place", "value", "words"), TYPES)
def test_wrong_types(api: Api, namespace: str, place: str, value: Any, words: str) -> None:
    path = f"/api/v1{namespace}/pods"
    answer = api.post(path, edited(edited(pod(), "metadata.namespace", None), place, value))
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert words in answer.message
    assert api.names(path) == []


def test_two_mebibytes(api: Api, namespace: str) -> None:
    path = f"/api/v1{namespace}/configmaps"
    answer = api.post(path, {"metadata": {"name": "big"}, "data": {"a": "x" * 2**21}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message == 'ConfigMap "big" is invalid: []: Too long: may not be more than 1048576 bytes'
    assert api.names(path) == []


def test_two_mebibytes_that_no_rule_of_the_kind_forbids(api: Api, namespace: str) -> None:
    path = f"/api/v1{namespace}/pods"
    big = edited(edited(pod(), "metadata.namespace", None), "spec.containers.0.args", ["x" * 2**21])
    answer = api.post(path, big)
    assert answer.code in (413, 500), answer
    assert answer.body["kind"] == "Status"
    assert "large" in answer.message  # etcd says it one way or another
    assert api.names(path) == []


def test_more_than_the_server_reads(api: Api, namespace: str) -> None:
    path = f"/api/v1{namespace}/configmaps"
    answer = api.post(path, {"metadata": {"name": "big"}, "data": {"a": "x" * 2**22}})
    assert (answer.code, answer.reason) == (413, "RequestEntityTooLarge")
    assert api.names(path) == []


SELECTORS = [
    ("labelSelector=a%20b", "unable to parse requirement"),
    ("labelSelector=a%20in%20%28", "unable to parse requirement"),
    ("labelSelector=-a", "unable to parse requirement"),
    ("fieldSelector=metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
    ("fieldSelector=spec.unknown%3Da", "field label not supported: spec.unknown"),
]


@pytest.mark.parametrize(("query", "words"), SELECTORS)
def test_bad_selectors(api: Api, namespace: str, query: str, words: str) -> None:
    answer = api.get(f"/api/v1{namespace}/pods?{query}")
    assert (answer.code, answer.reason) == (400, "BadRequest"), answer
    assert words in answer.message


def test_a_subresource_that_nobody_serves(api: Api, namespace: str) -> None:
    api.made(f"/api/v1{namespace}/pods", edited(pod(), "metadata.namespace", None))
    answer = api.get(f"/api/v1{namespace}/pods/web/nothing")
    assert (answer.code, answer.reason, answer.body["details"]) == (404, "NotFound", {})
