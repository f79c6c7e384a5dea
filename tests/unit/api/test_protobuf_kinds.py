"""Every kind in protobuf: there and back again, and as another decoder reads it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given, settings
from hypothesis import strategies as st

from api import protobuf, schema
from api.protobuf import tables
from api.schema.node import DATA
from api.schema.wire import definition_name
from tests.unit.api.samples import sample

TABLES = {path.stem: json.loads(path.read_text()) for path in (DATA / "protobuf").glob("*.json")}


def kinds() -> list[tuple[str, str, str]]:
    """(apiVersion, kind, definition) of every type that is an object of its own."""
    found = []
    for package, messages in TABLES.items():
        for message in messages:
            try:
                node = schema.load(definition_name(package, message))
            except schema.UnknownDefinition:
                continue
            own = [gvk for gvk in node.kinds if "metadata" in node.properties and package.endswith(gvk["version"])]
            for gvk in own[:1]:
                api_version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
                found.append((api_version, gvk["kind"], node.name))
    return sorted(found)


KINDS = kinds()


def test_all_kinds_are_here() -> None:
    assert len(KINDS) > 100
    assert {("v1", "Pod"), ("v1", "PodList"), ("apiregistration.k8s.io/v1", "APIService"), ("v1", "Status")} <= {
        (api_version, kind) for api_version, kind, _ in KINDS
    }


def made(api_version: str, kind: str, definition: str, random: Random, share: float) -> dict[str, Any]:
    obj: dict[str, Any] = sample(schema.load(definition), random, share)
    return obj | {"apiVersion": api_version, "kind": kind}


@pytest.mark.parametrize(("api_version", "kind", "definition"), KINDS)
def test_every_field_of_every_kind_survives(api_version: str, kind: str, definition: str) -> None:
    obj = made(api_version, kind, definition, Random(kind), 1.0)
    assert protobuf.decode(protobuf.encode(obj)) == obj
    message = tables.find_message(api_version, kind)
    assert_read_alike(message, protobuf.encode_message(message, obj))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 2**32), st.sampled_from([0.1, 0.3, 0.6]))
def test_any_object_survives(which: tuple[str, str, str], seed: int, share: float) -> None:
    obj = made(*which, Random(seed), share)
    assert protobuf.decode(protobuf.encode(obj)) == obj


_NUMBERS = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _NUMBERS.TYPE_STRING,
    "bytes": _NUMBERS.TYPE_BYTES,
    "bool": _NUMBERS.TYPE_BOOL,
    "int32": _NUMBERS.TYPE_INT32,
    "int64": _NUMBERS.TYPE_INT64,
    "double": _NUMBERS.TYPE_DOUBLE,
}


def descriptors() -> descriptor_pool.DescriptorPool:
    """The messages of the tables, for a decoder that knows nothing of ours. One file: they refer to each other."""
    file = descriptor_pb2.FileDescriptorProto(name="k8s.proto", package="k8s", syntax="proto2")
    for package, messages in TABLES.items():
        for message, rows in messages.items():
            described = file.message_type.add(name=flat(f"{package}.{message}"))
            for number, row in rows.items():
                describe(described, int(number), tables.Row(*row))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def flat(name: str) -> str:
    return name.replace(".", "_")


def describe(message: descriptor_pb2.DescriptorProto, number: int, row: tables.Row) -> None:
    repeated = row.repeated or bool(row.values)
    label = _NUMBERS.LABEL_REPEATED if repeated else _NUMBERS.LABEL_OPTIONAL
    described = message.field.add(name=f"f{number}", number=number, label=label)
    if not row.values:
        typed(described, row.type)
        return
    entry = message.nested_type.add(name=f"F{number}Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_NUMBERS.LABEL_OPTIONAL, type=_NUMBERS.TYPE_STRING)
    typed(entry.field.add(name="value", number=2, label=_NUMBERS.LABEL_OPTIONAL), row.values)
    described.type = _NUMBERS.TYPE_MESSAGE
    described.type_name = f".k8s.{message.name}.F{number}Entry"


def typed(field: descriptor_pb2.FieldDescriptorProto, type_name: str) -> None:
    if type_name in _SCALARS:
        field.type = _SCALARS[type_name]
    else:
        field.type = _NUMBERS.TYPE_MESSAGE
        field.type_name = f".k8s.{flat(type_name)}"


POOL = descriptors()


def read(message: str, data: bytes) -> Message:
    kind = message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"k8s.{flat(message)}"))
    return kind.FromString(data)


def assert_read_alike(message: str, data: bytes) -> None:
    """Another decoder knows every field, and another encoder writes the same bytes."""
    found = read(message, data)
    assert_known(found)
    assert found.SerializeToString(deterministic=True) == data


def assert_known(message: Message) -> None:
    assert not len(UnknownFieldSet(message)), message.DESCRIPTOR.name
    for field, value in message.ListFields():
        if field.message_type and not field.message_type.GetOptions().map_entry:
            for each in value if isinstance(value, (list, tuple)) or hasattr(value, "add") else [value]:
                assert_known(each)


def test_values_as_another_decoder_reads_them() -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "creationTimestamp": "2026-11-22T11:00:00Z", "labels": {"b": "2", "a": "1"}},
        "spec": {
            "replicas": 0,
            "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
            "template": {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "500m"}}}]}},
        },
    }
    name = tables.find_message("apps/v1", "Deployment")
    found: Any = read(name, protobuf.encode_message(name, deployment))
    assert (found.f1.f1, dict(found.f1.f11)) == ("web", {"a": "1", "b": "2"})
    assert found.f1.f8.f1 == 1795345200
    assert found.f2.HasField("f1")
    assert found.f2.f1 == 0
    rolling = found.f2.f4.f2
    assert (rolling.f1.f1, rolling.f1.f2, rolling.f2.f1, rolling.f2.f3) == (0, 1, 1, "25%")
    assert found.f2.f3.f2.f2[0].f8.f1["cpu"].f1 == "500m"


def test_nulls_are_left_out() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "creationTimestamp": None}, "spec": None}
    assert protobuf.decode(protobuf.encode(pod)) == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}


def test_a_list_is_its_items_joined() -> None:
    message = protobuf.find_message("v1", "Pod")
    pods = [{"metadata": {"name": name, "labels": {"n": name * 50}}} for name in "abc"]
    items = [protobuf.box(protobuf.encode_message(message, pod)) for pod in pods]
    body = b"".join(protobuf.join_list("v1", "PodList", {"resourceVersion": "7", "remainingItemCount": 2}, items))
    assert protobuf.decode(body) == {
        "apiVersion": "v1",
        "kind": "PodList",
        "metadata": {"resourceVersion": "7", "remainingItemCount": 2},
        "items": pods,
    }
    assert body == protobuf.encode(protobuf.decode(body))


def test_watch_frames() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    frame = protobuf.watch_frame("ADDED", protobuf.encode(pod))
    assert int.from_bytes(frame[:4]) == len(frame) - 4
    found: Any = read("k8s.io.apimachinery.pkg.apis.meta.v1.WatchEvent", frame[4:])
    assert found.f1 == "ADDED"
    assert protobuf.decode(found.f2.f1) == pod


def test_what_is_written_from_memory_is_what_is_there() -> None:
    for _ in range(2):
        for image in ("a", "b", "a", "x" * 9000, "c"):
            container = {"name": "c", "image": image, "env": [{"name": image[:1], "value": "v"}]}
            pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container, container | {"name": "d"}]}}
            assert protobuf.decode(protobuf.encode(pod)) == pod
    many = [{"name": f"v{number}", "emptyDir": {}} for number in range(600)]
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"volumes": many}}
    assert protobuf.decode(protobuf.encode(pod)) == pod
