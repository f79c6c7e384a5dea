"""The schema engine: type errors in the decoder's words, unknown fields, pruning."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import schema
from api.schema import Form, Schema, load
from tests.unit.api.objects import deployment, json_values

DEPLOYMENT = load("io.k8s.api.apps.v1.Deployment")
POD = load("io.k8s.api.core.v1.Pod")
SECRET = load("io.k8s.api.core.v1.Secret")
LEASE = load("io.k8s.api.coordination.v1.Lease")

HEAD = 'Deployment in version "v1" cannot be handled as a Deployment: '
CONTAINER = ("spec", "template", "spec", "containers", 0)
PATTERN = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The Deployment with one value set."""
    doc = deployment()
    place: Any = doc
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return doc


def test_a_good_object_has_nothing_to_say() -> None:
    assert schema.exact(DEPLOYMENT, deployment())
    assert schema.type_error(DEPLOYMENT, "Deployment", "v1", deployment()) is None
    assert schema.unknown_fields(DEPLOYMENT, deployment()) == []
    assert schema.prune(DEPLOYMENT, deployment()) == deployment()


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (
            ("spec", "replicas"),
            "3",
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            ("spec", "replicas"),
            1.5,
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            ("spec", "replicas"),
            2**31,
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            ("spec", "paused"),
            "yes",
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool",
        ),
        (
            ("metadata", "labels", "app"),
            1,
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            ("metadata", "labels"),
            "x",
            "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            ("spec", "template", "spec", "containers"),
            {},
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers "
            "of type []v1.Container",
        ),
        (
            (*CONTAINER, "image"),
            True,
            "json: cannot unmarshal bool into Go struct field Container.spec.template.spec.containers.image "
            "of type string",
        ),
        (
            (*CONTAINER, "command"),
            "ls",
            "json: cannot unmarshal string into Go struct field Container.spec.template.spec.containers.command "
            "of type []string",
        ),
        (
            (*CONTAINER, "imagePullPolicy"),
            1,
            "json: cannot unmarshal number into Go struct field "
            "Container.spec.template.spec.containers.imagePullPolicy of type v1.PullPolicy",
        ),
        (
            CONTAINER,
            "x",
            "json: cannot unmarshal string into Go struct field PodSpec.spec.template.spec.containers "
            "of type v1.Container",
        ),
        (("spec",), [], "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec"),
        ((*CONTAINER, "resources", "limits", "cpu"), "1x", PATTERN),
        ((*CONTAINER, "resources", "limits", "cpu"), True, PATTERN),
        ((*CONTAINER, "resources", "limits", "cpu"), "1Mm", "unable to parse quantity's suffix"),
        (
            ("metadata", "creationTimestamp"),
            "yesterday",
            'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
        ),
        (
            ("metadata", "creationTimestamp"),
            "2026-11-22 11:00:00Z",
            'parsing time "2026-11-22 11:00:00Z" as "2006-01-02T15:04:05Z07:00": cannot parse " 11:00:00Z" as "T"',
        ),
        (
            ("metadata", "creationTimestamp"),
            "2026-13-22T11:00:00Z",
            'parsing time "2026-13-22T11:00:00Z": month out of range',
        ),
        (
            ("metadata", "creationTimestamp"),
            "2026-02-30T11:00:00Z",
            'parsing time "2026-02-30T11:00:00Z": day out of range',
        ),
        (
            ("metadata", "creationTimestamp"),
            7,
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
        ),
        (
            ("spec", "strategy", "rollingUpdate", "maxSurge"),
            True,
            "json: cannot unmarshal bool into Go struct field "
            "RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32",
        ),
    ],
)
def test_type_errors_have_the_decoders_words(path: tuple[Any, ...], value: Any, problem: str) -> None:
    assert schema.type_error(DEPLOYMENT, "Deployment", "v1", changed(path, value)) == HEAD + problem


def test_bytes_are_base64() -> None:
    def problem(value: Any) -> str | None:
        return schema.type_error(SECRET, "Secret", "v1", {"data": {"a": value}})

    assert problem("aGk=") is None
    assert problem("aG\nk=\r\n") is None
    assert (
        problem("a!k=") == 'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 1'
    )
    assert (problem("aGk") or "").endswith("illegal base64 data at input byte 0")
    assert (problem(3) or "").endswith("json: cannot unmarshal number into Go struct field Secret.data of type []uint8")
    assert schema.prune(SECRET, {"data": {"a": "aG\nk="}}) == {"data": {"a": "aGk="}}


def test_nulls_are_taken_and_dropped() -> None:
    doc = changed(("spec", "replicas"), None)
    doc["metadata"] |= {"creationTimestamp": None, "labels": {"a": None}}
    doc["spec"]["template"]["spec"]["containers"][0] |= {"command": ["x", None], "ports": None}
    assert schema.type_error(DEPLOYMENT, "Deployment", "v1", doc) is None
    assert schema.unknown_fields(DEPLOYMENT, doc) == []
    schema.prune(DEPLOYMENT, doc)
    assert "replicas" not in doc["spec"]
    assert "creationTimestamp" not in doc["metadata"]
    assert doc["metadata"]["labels"] == {"a": ""}
    assert doc["spec"]["template"]["spec"]["containers"][0]["command"] == ["x", ""]
    assert schema.exact(DEPLOYMENT, doc)


def test_unknown_fields_have_paths_and_go() -> None:
    doc = changed((*CONTAINER, "imge"), "x")
    doc["spce"] = {}
    doc["spec"]["template"]["spec"]["volumes"][0]["emptyDir"]["size"] = 1
    assert schema.unknown_fields(DEPLOYMENT, doc) == [
        "spec.template.spec.containers[0].imge",
        "spec.template.spec.volumes[0].emptyDir.size",
        "spce",
    ]
    assert schema.prune(DEPLOYMENT, doc) == deployment()


def test_values_become_canonical() -> None:
    doc = changed((*CONTAINER, "resources", "limits"), {"cpu": 0.5, "memory": "65536Ki"})
    doc["metadata"]["creationTimestamp"] = "2026-11-22T12:00:00.5+01:00"
    assert schema.prune(DEPLOYMENT, doc) == deployment()
    lease = {"spec": {"renewTime": "2026-11-22T12:00:00Z"}}
    assert schema.prune(LEASE, lease) == {"spec": {"renewTime": "2026-11-22T12:00:00.000000Z"}}


def test_free_form_fields_keep_everything() -> None:
    fields: dict[str, Any] = {"f:metadata": {"f:labels": {".": {}, "x": None}}}
    pod = {"metadata": {"managedFields": [{"fieldsType": "FieldsV1", "fieldsV1": fields}]}}
    assert schema.exact(POD, pod)
    assert schema.prune(POD, copy.deepcopy(pod)) == pod


@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status", "kind", "x"]), json_values))
def test_what_is_pruned_is_exact(doc: dict[str, Any]) -> None:
    if schema.type_error(DEPLOYMENT, "Deployment", "v1", doc) is None:
        schema.prune(DEPLOYMENT, doc)
        assert schema.exact(DEPLOYMENT, doc)
        assert schema.unknown_fields(DEPLOYMENT, doc) == []


def test_merge_facts() -> None:
    pod_spec = DEPLOYMENT.properties["spec"].properties["template"].properties["spec"]
    volumes = pod_spec.properties["volumes"]
    assert (volumes.merge_key, volumes.strategies) == ("name", frozenset({"merge", "retainKeys"}))
    ports = pod_spec.properties["containers"].items.properties["ports"]
    assert ports.list_keys == ("containerPort", "protocol")
    assert pod_spec.properties["nodeSelector"].atomic_map
    assert DEPLOYMENT.kinds == ({"group": "apps", "kind": "Deployment", "version": "v1"},)
    assert "selector" in DEPLOYMENT.properties["spec"].required


def test_every_definition_can_be_walked() -> None:
    seen: set[int] = set()

    def walk(node: Schema, depth: int) -> None:
        if id(node) in seen or depth > 40:
            return
        seen.add(id(node))
        for child in node.properties.values():
            walk(child, depth + 1)
        if node.form is Form.LIST:
            walk(node.items, depth + 1)
        if node.form is Form.MAP:
            walk(node.values, depth + 1)

    from api.schema.node import DATA, package

    for path in DATA.glob("*.json"):
        for name in package(path.stem):
            walk(load(f"{path.stem}.{name}"), 0)
            node = load(f"{path.stem}.{name}")
            assert schema.exact(node, object()) is (node.form is Form.ANY)


def test_data_is_what_the_generator_makes() -> None:
    from api.schema import generate
    from api.schema.node import package

    for name, types in generate.by_package(generate.read_definitions()).items():
        assert package(name) == types


def test_every_named_type_is_a_string_of_the_schema() -> None:
    from api.schema.node import DATA, package
    from api.schema.types import _NAMED

    strings = set()
    for path in DATA.glob("*.json"):
        for name in package(path.stem):
            for field, node in load(f"{path.stem}.{name}").properties.items():
                if node.form is Form.STRING or (node.form is Form.LIST and node.items.form is Form.STRING):
                    strings.add(f"{name}.{field}")
    assert set(_NAMED) <= strings


def test_unknown_definitions() -> None:
    for name in ("io.k8s.api.core.v1.Nonsense", "io.k8s.api.nowhere.v1.Pod", "nodots"):
        with pytest.raises(schema.UnknownDefinition):
            load(name)


def test_prose() -> None:
    assert schema.describe("io.k8s.api.core.v1.Container").startswith("A single application container")
    assert schema.field_descriptions("io.k8s.api.core.v1.Container")["image"].startswith("Container image name.")
    assert schema.describe("io.k8s.api.nowhere.v1.Pod") == ""


def test_loading_is_lazy() -> None:
    code = (
        "import api.schema as s; from api.schema.node import package; "
        "s.load('io.k8s.api.coordination.v1.Lease'); "
        "assert package.cache_info().currsize == 1; "
        "import sys; assert 'yaml' not in sys.modules and 'lightkube' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2024-02-29T00:00:00Z", True),
        ("2025-02-29T00:00:00Z", False),
        ("2026-01-31T23:59:59Z", True),
        ("2026-04-31T00:00:00Z", False),
        ("0000-01-01T00:00:00Z", False),
        ("2026-01-01T24:00:00Z", False),
        ("2026-01-01T00:00:00+25:00", False),
        ("2026-01-01T00:00:00.5-08:30", True),
    ],
)
def test_times_exist(text: str, good: bool) -> None:
    doc = changed(("metadata", "creationTimestamp"), text)
    assert (schema.type_error(DEPLOYMENT, "Deployment", "v1", doc) is None) is good
    if good:
        assert schema.exact(DEPLOYMENT, schema.prune(DEPLOYMENT, doc))


@given(
    st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})\Z")
)
def test_a_time_that_is_taken_can_be_stored(text: str) -> None:
    doc = changed(("metadata", "creationTimestamp"), text)
    if schema.type_error(DEPLOYMENT, "Deployment", "v1", doc) is None:
        assert schema.exact(DEPLOYMENT, schema.prune(DEPLOYMENT, doc))


def test_schemas_inside_of_schemas() -> None:
    definition = load("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
    good = {"type": "array", "items": {"additionalProperties": {"items": [{"x": 1}]}}, "additionalItems": True}
    assert schema.exact(definition, good)
    deep = {"properties": {"a": {"items": {"additionalProperties": {"typ": "string", "type": "string"}}}}}
    assert schema.unknown_fields(definition, deep) == ["properties.a.items.additionalProperties.typ"]
    schema.prune(definition, deep)
    assert deep == {"properties": {"a": {"items": {"additionalProperties": {"type": "string"}}}}}
    problem = schema.type_error(definition, "X", "v1", {"items": {"additionalProperties": {"nullable": "yes"}}})
    assert problem is not None
    assert "items.additionalProperties.nullable of type bool" in problem
    assert "cannot unmarshal number" in (schema.type_error(definition, "X", "v1", {"items": 7}) or "")
