"""Objects' protobuf messages as the cache keeps them."""

from __future__ import annotations

from typing import Any

import orjson

from api import protobuf
from apiserver.endpoints.media import Remains, body_of
from apiserver.registry import KINDS
from apiserver.registry.kind import Kind
from apiserver.storage.cache import Entry

POD: Kind = next(kind for kind in KINDS if (kind.group, kind.kind) == ("", "Pod"))


def pod(*managed: Any) -> dict[str, Any]:
    fields = [{"manager": "m", "fieldsType": "FieldsV1", "fieldsV1": each} for each in managed]
    meta = {"name": "p", "managedFields": fields} if managed else {"name": "p"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"nodeName": "n"}}


def entry_of(obj: dict[str, Any]) -> Entry:
    return Entry("default/p", orjson.dumps(obj), 1, {}, {})


def test_a_cached_message_is_whole_again() -> None:
    managed: dict[str, Any] = {"f:spec": {"f:nodeName": {}, 'k:{"a":1}': {}}}
    for obj in (pod(), pod(managed), pod(managed, managed, {"f:status": {}}), pod({}), pod(None)):
        entry = entry_of(obj)
        made = body_of(POD, entry.raw, entry)
        assert made == body_of(POD, entry.raw, entry) == protobuf.encode(obj)
        assert entry.message is not None


def test_a_cached_message_does_not_repeat_who_manages_what() -> None:
    obj = pod({f"f:{number}": {} for number in range(100)})
    entry = entry_of(obj)
    message = protobuf.encode(obj)
    kept = Remains.of(message, entry.raw, obj)
    assert sum(map(len, kept._parts)) < len(message) - 800


def test_other_bytes_than_the_entrys_leave_it_alone() -> None:
    entry = entry_of(pod())
    changed = pod()
    changed["metadata"]["resourceVersion"] = "7"
    assert protobuf.decode(body_of(POD, orjson.dumps(changed), entry))["metadata"]["resourceVersion"] == "7"
    assert entry.message is None
