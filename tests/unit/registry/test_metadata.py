"""Metadata, which has one set of rules for all kinds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.registry import rules
from apiserver.registry.kind import Object
from apiserver.registry.metadata import validate_metadata, validate_metadata_update
from tests.unit.registry.objects import plain
from tests.unit.registry.support import BY_KIND, edited


def test_a_prefix_may_end_with_a_dash() -> None:
    made = {"metadata": {"generateName": "web-", "name": "web-abcde", "namespace": "default"}}
    assert validate_metadata(made, BY_KIND["Pod"]) == []


def test_a_bad_prefix_is_named_as_such() -> None:
    made = {"metadata": {"generateName": "Web-", "name": "Web-abcde", "namespace": "default"}}
    errors = validate_metadata(made, BY_KIND["Pod"])
    assert [error.field for error in errors] == ["metadata.generateName", "metadata.name"]


OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "1", "controller": True}
NEW: list[tuple[str, Any, list[str]]] = [
    ("metadata.ownerReferences", [OWNER, {**OWNER, "name": "b"}], [
        'metadata.ownerReferences: Invalid value: [{"apiVersion":"apps/v1","controller":true,"kind":"ReplicaSet",'
        '"name":"a","uid":"1"},{"apiVersion":"apps/v1","controller":true,"kind":"ReplicaSet","name":"b","uid":"1"}]: '
        'Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/a and '
        "ReplicaSet/b"]),
    ("metadata.ownerReferences", [{**OWNER, "apiVersion": ""}], [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty']),
    ("metadata.ownerReferences", [{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "1"}], [
        'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"1"}: /v1, '
        "Kind=Event is disallowed from being an owner"]),
    ("metadata.finalizers", ["orphan", "foregroundDeletion"], [
        'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion '
        "cannot be both set"]),
    ("metadata.finalizers", ["example.com/mine", "kubernetes"], []),
    ("metadata.annotations", {"EXAMPLE.com/Upper": "x"}, []),
    ("metadata.annotations", {"a/b/c": "x"}, [
        'metadata.annotations: Invalid value: "a/b/c": a qualified name must consist of alphanumeric characters, '
        "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
        "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS "
        "subdomain prefix and '/' (e.g. 'example.com/MyName')"]),
    ("metadata.namespace", "Not_Good", [
        'metadata.namespace: Invalid value: "Not_Good": a lowercase RFC 1123 label must consist of lower case '
        "alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or "
        "'123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "messages"), NEW, ids=[f"{n}-{case[0]}" for n, case in enumerate(NEW)])
def test_new(path: str, value: Any, messages: list[str]) -> None:
    errors = validate_metadata(edited(plain("ConfigMap"), path, value), BY_KIND["ConfigMap"])
    assert [error.message for error in errors] == messages


DELETED = {"deletionTimestamp": "2026-11-22T12:00:00Z", "finalizers": ["a/b"]}
CHANGED: list[tuple[Object, Object, list[str]]] = [
    ({}, {"labels": {"a": "b"}}, []),
    ({"generation": 2}, {"generation": 1}, ["metadata.generation: Invalid value: 1: must not be decremented"]),
    ({"uid": "1"}, {"uid": "2"}, ['metadata.uid: Invalid value: "2": field is immutable']),
    ({"namespace": "a"}, {"namespace": "b"}, ['metadata.namespace: Invalid value: "b": field is immutable']),
    (DELETED, {**DELETED, "finalizers": []}, []),
    (DELETED, {**DELETED, "finalizers": ["a/b", "a/c"]}, [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new "
        'finalizers []string{"a/c"}']),
    ({}, {"finalizers": ["a/c"]}, []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "messages"), CHANGED, ids=[str(n) for n in range(len(CHANGED))])
def test_changed(before: Object, after: Object, messages: list[str]) -> None:
    errors = validate_metadata_update({"metadata": after}, {"metadata": before})
    assert [error.message for error in errors] == messages


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "priority"]), inner),
    max_leaves=6,
)


@given(JSON)
def test_everything_is_the_same_as_itself(value: Any) -> None:
    assert rules.same(value, value)


@given(JSON, JSON)
def test_sameness_has_no_direction(one: Any, other: Any) -> None:
    assert rules.same(one, other) == rules.same(other, one)


SAME: list[tuple[Any, Any, bool]] = [
    ({"a": None, "b": [], "c": "", "d": False}, {}, True),
    ({"a": {"b": []}}, {"a": {}}, True),
    ({"priority": 0}, {}, False),
    ({"runAsUser": 0}, {"runAsUser": None}, False),
    ([1, 2], [2, 1], False),
    ({"a": [{}]}, {"a": []}, False),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_what_is_empty_is_as_good_as_missing(one: Any, other: Any, same: bool) -> None:
    assert rules.same(one, other) is same
