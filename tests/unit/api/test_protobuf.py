"""Protobuf bodies: what the real kubectl sends, and whatever an encoder can say."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import protobuf, schema
from api.codec import PROTOBUF, MalformedBody, decode_body
from api.errors import BadRequest
from api.protobuf import encode, reader, tables
from api.protobuf.writer import chunk, varint
from tests.unit.api.objects import deployment

# Recorded from kubectl 1.37: `create deployment web --image=hello:1 --replicas=0 --port=8080`, `create namespace …`
RECORDED = json.loads(Path(__file__).with_name("data").joinpath("kubectl-1.37-bodies.json").read_text())


def recorded(name: str) -> dict[str, Any]:
    body = RECORDED[name]
    assert body["contentType"] == PROTOBUF
    return decode_body(base64.b64decode(body["body"]), body["contentType"], "Whatever")


def test_create_deployment() -> None:
    assert recorded("deployment") == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {"name": "hello", "image": "hello:1", "ports": [{"containerPort": 8080}], "resources": {}}
                    ]
                },
            },
            "strategy": {},
        },
        "status": {},
    }


def test_create_namespace_configmap_secret() -> None:
    assert recorded("namespace") == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop"},
        "spec": {},
        "status": {},
    }
    assert recorded("configmap")["data"] == {"colour": "blue", "size": "large"}
    assert recorded("secret")["data"] == {"user": "YWRh", "pass": "eA=="}


def test_others() -> None:
    assert recorded("service")["spec"]["ports"] == [
        {"name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080}
    ]
    assert recorded("quota")["spec"]["hard"] == {"cpu": "1", "pods": "2"}
    assert recorded("pdb")["spec"]["minAvailable"] == "50%"
    assert recorded("token")["spec"] == {"expirationSeconds": 600}
    assert recorded("cani")["spec"]["resourceAttributes"] == {
        "namespace": "default",
        "verb": "list",
        "resource": "pods",
    }


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_every_recorded_body_fits_its_schema(name: str) -> None:
    obj = recorded(name)
    groups = {"batch": "batch", "networking.k8s.io": "networking", "policy": "policy", "apps": "apps"}
    groups |= {"authentication.k8s.io": "authentication", "authorization.k8s.io": "authorization", "": "core"}
    group, _, version = obj["apiVersion"].rpartition("/")
    node = schema.load(f"io.k8s.api.{groups[group]}.{version}.{obj['kind']}")
    assert schema.type_error(node, obj["kind"], version, obj) is None
    assert schema.unknown_fields(node, obj) == []


def test_a_whole_deployment_survives() -> None:
    doc = deployment()
    doc["spec"]["template"]["spec"] |= {"automountServiceAccountToken": False, "priority": -7, "hostNetwork": True}
    doc["spec"]["template"]["spec"]["containers"][0] |= {
        "livenessProbe": {"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 5},
        "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": False}}}],
    }
    doc["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u", "controller": False}
    ]
    assert decode_body(encode(doc), PROTOBUF) == doc


def test_zeros_of_no_scalar_mean_something() -> None:
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    doc = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"strategy": {"rollingUpdate": rolling}}}
    assert decode_body(encode(doc), PROTOBUF)["spec"]["strategy"]["rollingUpdate"] == rolling


def test_zeros_that_mean_nothing_are_left_out() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "", "generation": 0},
        "spec": {"hostNetwork": False, "nodeName": "", "priority": 0, "terminationGracePeriodSeconds": 0},
    }
    assert decode_body(encode(pod), PROTOBUF) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"priority": 0, "terminationGracePeriodSeconds": 0},
    }


_LABELS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1)


@given(_LABELS, st.dictionaries(st.text(min_size=1), st.binary(), min_size=1), st.integers(-(2**63), 2**63 - 1))
def test_maps_bytes_and_numbers_survive(labels: dict[str, str], data: dict[str, bytes], generation: int) -> None:
    doc: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"labels": labels},
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }
    if generation:
        doc["metadata"]["generation"] = generation
    assert decode_body(encode(doc), PROTOBUF) == doc


def test_delete_options_belong_to_every_group() -> None:
    for api_version in ("v1", "apps/v1", "policy/v1"):
        doc = {
            "apiVersion": api_version,
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "propagationPolicy": "Orphan",
        }
        assert decode_body(encode(doc), PROTOBUF) == doc


def test_custom_resource_definitions() -> None:
    spec = {
        "type": "object",
        "$ref": "x",
        "x-kubernetes-preserve-unknown-fields": True,
        "required": ["a"],
        "default": {"a": [1]},
    }
    name = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    rows = {row[0]: number for number, row in tables.rows_of(name).items()}
    data = chunk(rows["type"], b"object") + chunk(rows["$ref"], b"x") + chunk(rows["required"], b"a")
    data += varint(rows["x-kubernetes-preserve-unknown-fields"] << 3) + b"\x01"
    data += chunk(rows["default"], chunk(1, b'{"a":[1]}'))
    assert reader._message(name)(data, 0) == spec
    assert reader._message(name)(chunk(rows["items"], chunk(1, data)), 0) == {"items": spec}
    assert reader._message(name)(chunk(rows["additionalProperties"], b"\x08\x01"), 0) == {"additionalProperties": True}


def test_json_inside_the_envelope() -> None:
    body = protobuf.MAGIC + chunk(2, b'{"apiVersion":"v1","kind":"Pod"}') + chunk(4, b"application/json")
    assert decode_body(body, PROTOBUF) == {"apiVersion": "v1", "kind": "Pod"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"k8s\x00",
        protobuf.MAGIC + b"\x0a\xff",
        protobuf.MAGIC + b"\xff" * 12,
        protobuf.MAGIC + b"\x0b",
        protobuf.MAGIC + chunk(1, chunk(1, b"v1") + chunk(2, b"Nonsense")),
        protobuf.MAGIC + chunk(1, chunk(1, b"v1") + chunk(2, b"\xff\xfe")),
        protobuf.MAGIC + chunk(1, chunk(1, b"v1") + chunk(2, b"Pod")) + chunk(2, b"\x08\x01"),
    ],
)
def test_bad_bodies_are_bad_requests(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decode_body(body, PROTOBUF, "Pod")


def test_bodies_within_bodies_end() -> None:
    body = encode({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})
    list_head = chunk(1, chunk(1, b"v1") + chunk(2, b"List"))
    for _ in range(1000):
        body = protobuf.MAGIC + list_head + chunk(2, chunk(2, chunk(1, body)))
    with pytest.raises(MalformedBody, match="max depth"):
        protobuf.decode(body)


def test_a_time_of_nonsense_is_none() -> None:
    meta = chunk(8, b"\x08\x01" * 100)
    body = protobuf.MAGIC + chunk(1, chunk(1, b"v1") + chunk(2, b"Pod")) + chunk(2, chunk(1, meta))
    assert protobuf.decode(body)["metadata"] == {}


@given(st.binary(max_size=60))
def test_any_bytes_after_the_magic_are_decoded_or_refused(junk: bytes) -> None:
    head = protobuf.MAGIC + chunk(1, chunk(1, b"apps/v1") + chunk(2, b"Deployment"))
    try:
        assert protobuf.decode(head + chunk(2, junk))["kind"] == "Deployment"
    except MalformedBody:
        return


@given(st.data())
def test_a_cut_or_flipped_body_is_never_a_crash(data: st.DataObject) -> None:
    body = bytearray(encode(deployment()))
    at = data.draw(st.integers(4, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255))
    try:
        protobuf.decode(bytes(body))
    except MalformedBody:
        return


def test_the_tables_name_the_fields_of_the_schema() -> None:
    from api.schema.node import DATA
    from api.schema.wire import definition_name

    known = 0
    for path in (DATA / "protobuf").glob("*.json"):
        for message, rows in json.loads(path.read_text()).items():
            try:
                node = schema.load(definition_name(path.stem, message))
            except schema.UnknownDefinition:
                continue
            names = {name for name, _, flags in rows.values() if "i" not in flags}
            assert not node.properties or names <= set(node.properties), (path.stem, message)
            known += 1
    assert known > 400


def test_every_pointer_is_a_field() -> None:
    from api.schema.node import DATA
    from api.schema.pointers import _ANYWHERE, _IN

    fields: dict[str, set[str]] = {}
    for path in (DATA / "protobuf").glob("*.json"):
        for message, rows in json.loads(path.read_text()).items():
            fields.setdefault(message, set()).update(name for name, _, _ in rows.values())
    assert set().union(*fields.values()) >= _ANYWHERE
    for message, names in _IN.items():
        assert names <= fields[message], message
