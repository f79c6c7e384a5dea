"""The OpenAPI documents, as kubectl reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apiserver.endpoints import openapi
from apiserver.registry import KINDS

VERBS = ("get", "put", "post", "patch", "delete")


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, verb, item[verb]) for path, item in document["paths"].items() for verb in VERBS if verb in item]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_the_index_names_a_document_for_each_group() -> None:
    index = openapi.v3_index(KINDS)["paths"]
    assert set(index) == {openapi.group_path(kind.api_version) for kind in KINDS}
    url = index["apis/apps/v1"]["serverRelativeURL"]
    assert url == f"/openapi/v3/apis/apps/v1?hash={openapi.v3_hash('apps/v1', KINDS)}"


def test_the_hash_follows_the_content() -> None:
    apps = [kind for kind in KINDS if kind.group == "apps"]
    assert openapi.v3_hash("apps/v1", KINDS) == openapi.v3_hash("apps/v1", apps)
    assert openapi.v3_hash("apps/v1", apps) != openapi.v3_hash("apps/v1", apps[1:])


@pytest.mark.parametrize("group_version", sorted({kind.api_version for kind in KINDS}))
def test_documents_are_closed_and_each_kind_is_found(group_version: str) -> None:
    document = json.loads(openapi.v3_document(group_version, KINDS))
    schemas = document["components"]["schemas"]
    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}
    for kind in KINDS:
        if kind.api_version == group_version:
            (gvk,) = schemas[kind.definition]["x-kubernetes-group-version-kind"]
            assert gvk == {"group": kind.group, "version": kind.version, "kind": kind.kind}


def test_every_patch_takes_field_validation_and_the_patch_types() -> None:
    for group_version in {kind.api_version for kind in KINDS}:
        patches = [
            operation
            for _, verb, operation in operations(json.loads(openapi.v3_document(group_version, KINDS)))
            if verb == "patch"
        ]
        assert patches
        for patch in patches:
            assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
            assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
            assert patch["x-kubernetes-action"] == "patch"


def test_paths_of_a_namespaced_kind_with_subresources() -> None:
    paths = json.loads(openapi.v3_document("apps/v1", KINDS))["paths"]
    base = "/apis/apps/v1/namespaces/{namespace}/deployments"
    assert set(paths[base]) == {"get", "post", "delete", "parameters"}
    assert set(paths[f"{base}/{{name}}"]) == {"get", "put", "patch", "delete", "parameters"}
    assert {f"{base}/{{name}}/status", f"{base}/{{name}}/scale", "/apis/apps/v1/deployments"} <= set(paths)
    assert paths["/apis/apps/v1/deployments"]["get"]["x-kubernetes-action"] == "list"
    scale = paths[f"{base}/{{name}}/scale"]["get"]["x-kubernetes-group-version-kind"]
    assert scale == {"group": "autoscaling", "version": "v1", "kind": "Scale"}


def test_version_two_has_the_same_operations() -> None:
    document = openapi.v2(KINDS)
    assert document["swagger"] == "2.0"
    assert references(document) <= {f"#/definitions/{name}" for name in document["definitions"]}
    third = {
        (path, verb)
        for group_version in {kind.api_version for kind in KINDS}
        for path, verb, _ in operations(json.loads(openapi.v3_document(group_version, KINDS)))
    }
    assert {(path, verb) for path, verb, _ in operations(document)} == third


def test_an_unknown_group_has_no_document() -> None:
    with pytest.raises(KeyError):
        openapi.v3_document("nowhere/v1", KINDS)
