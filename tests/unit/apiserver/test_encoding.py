"""Bytes in etcd and on the wire."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from apiserver.storage.encoding import Encoding, decode

ENCODING = Encoding("apps/v1", "Deployment")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_the_version_is_kept_out_of_etcd_and_put_in_for_clients() -> None:
    obj = {"spec": {"a": 1}, "metadata": {"resourceVersion": "3", "name": "x"}, "kind": "?", "apiVersion": "?"}
    stored = ENCODING.store(obj)
    assert stored == b'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"spec":{"a":1}}'
    wire = ENCODING.wire(stored, 7)
    assert orjson.loads(wire)["metadata"] == {"name": "x", "resourceVersion": "7"}
    assert ENCODING.again(wire, 7, 1234) == ENCODING.wire(stored, 1234)
    assert decode(stored, 7) == orjson.loads(wire)


def test_bytes_that_somebody_else_wrote_are_put_in_order() -> None:
    foreign = b'{ "metadata": {"name": "x"}, "kind": "Deployment", "apiVersion": "apps/v1", "spec": {} }'
    wire = ENCODING.wire(foreign, 5)
    assert orjson.loads(wire)["metadata"] == {"name": "x", "resourceVersion": "5"}
    assert ENCODING.again(wire, 5, 6) == ENCODING.wire(foreign, 6)


@given(spec=JSON, labels=st.dictionaries(st.text(), st.text(), max_size=3), revision=st.integers(1, 2**60))
def test_nothing_is_lost(spec: object, labels: dict[str, str], revision: int) -> None:
    obj = {"metadata": {"name": "x", "labels": labels}, "spec": spec}
    seen = orjson.loads(ENCODING.wire(ENCODING.store(obj), revision))
    assert seen["spec"] == spec
    assert seen["metadata"] == {"name": "x", "labels": labels, "resourceVersion": str(revision)}
