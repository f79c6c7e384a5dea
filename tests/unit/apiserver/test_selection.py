"""Which objects a request means."""

from __future__ import annotations

import pytest

from api.errors import BadRequest
from apiserver.endpoints.selection import read_selection
from apiserver.registry.pod import KIND as POD
from apiserver.storage.cache import Entry
from tests.unit.registry.support import BY_KIND


def entry(key: str = "ns/x", labels: dict[str, str] | None = None, fields: dict[str, str] | None = None) -> Entry:
    return Entry(key, b"", 1, labels or {}, fields or {})


def test_everything_needs_no_selection() -> None:
    assert read_selection({}, POD, "") is None
    assert read_selection({"labelSelector": "", "limit": "5"}, POD, "") is None


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ({"labelSelector": "a=b"}, True),
        ({"labelSelector": "a!=b"}, False),
        ({"fieldSelector": "metadata.name=x"}, True),
        ({"fieldSelector": "metadata.name=y"}, False),
        ({"fieldSelector": "metadata.name!=x"}, False),
        ({"fieldSelector": "metadata.namespace=ns"}, True),
        ({"fieldSelector": "spec.nodeName=n1"}, True),
        ({"fieldSelector": "spec.nodeName!=n1"}, False),
        ({"fieldSelector": "status.phase="}, True),
        ({"fieldSelector": "spec.nodeName=n1", "labelSelector": "a=c"}, False),
    ],
)
def test_conditions(query: dict[str, str], matches: bool) -> None:
    selection = read_selection(query, POD, "ns")
    assert selection is not None
    assert selection.matches(entry(labels={"a": "b"}, fields={"spec.nodeName": "n1"})) is matches
    assert not selection.matches(entry("other/x", {"a": "b"}, {"spec.nodeName": "n1"}))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Pod", "field label not supported: spec.colour"),
        ("ConfigMap", '"spec.colour" is not a known field selector: only "metadata.name", "metadata.namespace"'),
        ("Job", 'field label "spec.colour" not supported for batchv1.Job'),
    ],
)
def test_fields_that_a_kind_does_not_have(kind: str, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_selection({"fieldSelector": "spec.colour=red"}, BY_KIND[kind], "")
    assert str(refused.value) == words
