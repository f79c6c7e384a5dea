"""Schemas written out as OpenAPI."""

from __future__ import annotations

from typing import Any

from api.schema.document import Writer, closure

DEPLOYMENT = "io.k8s.api.apps.v1.Deployment"


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_documents_are_closed() -> None:
    for version in (2, 3):
        writer = Writer(version)
        schemas = writer.schemas([DEPLOYMENT])
        assert references(schemas) <= {writer.prefix + name for name in schemas}
        assert sorted(schemas) == closure([DEPLOYMENT])


def test_recursive_types_end() -> None:
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    assert name in closure([name])


def test_fields_carry_prose_types_and_merge_facts() -> None:
    spec = Writer(3).schema("io.k8s.api.apps.v1.DeploymentSpec")
    replicas = spec["properties"]["replicas"]
    assert (replicas["type"], replicas["format"]) == ("integer", "int32")
    assert replicas["description"].startswith("Number of desired pods.")
    template = spec["properties"]["template"]
    assert template["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec"}]
    assert Writer(3).schema("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime")["nullable"]
    assert Writer(3).schema("io.k8s.api.core.v1.LimitRangeSpec")["properties"]["limits"]["nullable"]
    assert "nullable" not in Writer(2).schema("io.k8s.api.core.v1.LimitRangeSpec")["properties"]["limits"]
    containers = Writer(3).schema("io.k8s.api.core.v1.PodSpec")["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert Writer(2).schema("io.k8s.apimachinery.pkg.api.resource.Quantity")["type"] == "string"
