"""The OpenAPI documents, as kubectl reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from apiserver.endpoints.openapi import Api, index
from apiserver.endpoints.virtual import VIRTUAL, Virtual
from apiserver.registry import KINDS
from apiserver.registry.kind import Kind

VERBS = ("get", "put", "post", "patch", "delete")
API = Api(KINDS)
GROUPS = sorted(path for path in API.documents if path.startswith("api/") or path.count("/") == 2)


def read(path: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(API.documents[path].write())
    return document


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, verb, item[verb]) for path, item in document["paths"].items() for verb in VERBS if verb in item]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_the_index_names_a_document_for_each_group() -> None:
    paths = index(API.documents)["paths"]
    assert {"api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "apis/authorization.k8s.io/v1", "version"} <= set(
        paths
    )
    assert paths["apis/apps/v1"]["serverRelativeURL"].startswith("/openapi/v3/apis/apps/v1?hash=")


def test_the_hash_follows_the_content() -> None:
    apps = tuple(kind for kind in KINDS if kind.group == "apps")
    known = API.documents["apis/apps/v1"]
    same, fewer = Api(apps).documents["apis/apps/v1"], Api(apps[1:]).documents["apis/apps/v1"]
    assert known.hash == same.hash != fewer.hash
    assert known.same(same)
    assert not known.same(fewer)
    assert not known.same(Api((replace(apps[0]), *apps[1:])).documents["apis/apps/v1"])


@pytest.mark.parametrize("path", GROUPS)
def test_documents_are_closed_and_each_kind_is_found(path: str) -> None:
    document = read(path)
    schemas = document["components"]["schemas"]
    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}
    served: list[Kind | Virtual] = [*KINDS, *VIRTUAL]
    for kind in served:
        if f"/{path}/".endswith(f"/{kind.group}/{kind.version}/" if kind.group else f"/api/{kind.version}/"):
            known = schemas[kind.definition]["x-kubernetes-group-version-kind"]
            assert {"group": kind.group, "version": kind.version, "kind": kind.kind} in known


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for path in API.documents for _, _, operation in operations(read(path))]
    assert len(names) == len(set(names))
    assert {
        "listCoreV1PodForAllNamespaces",
        "readAppsV1NamespacedDeploymentScale",
        "replaceCoreV1NamespaceFinalize",
        "createCoreV1NamespacedPodEviction",
        "deleteRbacAuthorizationV1CollectionClusterRole",
        "createAuthorizationV1SelfSubjectAccessReview",
        "watchCoreV1NamespacedPodList",
        "getAppsV1APIResources",
        "connectCoreV1PostNamespacedPodExec",
        "connectCoreV1DeleteNodeProxyWithPath",
    } <= set(names)


def test_every_patch_takes_field_validation_and_the_patch_types() -> None:
    patches = [each for path in GROUPS for _, verb, each in operations(read(path)) if verb == "patch"]
    assert len(patches) > 50
    for patch in patches:
        if patch["x-kubernetes-action"] == "connect":
            continue  # whatever is behind a proxy is told by nobody
        assert {"fieldValidation", "fieldManager", "dryRun", "force"} <= {each["name"] for each in patch["parameters"]}
        assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
        assert patch["x-kubernetes-action"] == "patch"


def test_paths_of_a_namespaced_kind_with_subresources() -> None:
    paths = read("apis/apps/v1")["paths"]
    base = "/apis/apps/v1/namespaces/{namespace}/deployments"
    assert set(paths[base]) == {"get", "post", "delete", "parameters"}
    assert set(paths[f"{base}/{{name}}"]) == {"get", "put", "patch", "delete", "parameters"}
    assert {f"{base}/{{name}}/status", f"{base}/{{name}}/scale", "/apis/apps/v1/deployments"} <= set(paths)
    assert paths["/apis/apps/v1/deployments"]["get"]["x-kubernetes-action"] == "list"
    scale = paths[f"{base}/{{name}}/scale"]["get"]["x-kubernetes-group-version-kind"]
    assert scale == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    watch = paths["/apis/apps/v1/watch/namespaces/{namespace}/deployments"]["get"]
    assert watch["responses"]["200"]["content"]["application/json;stream=watch"]["schema"]["$ref"].endswith(
        "WatchEvent"
    )


def test_what_comes_back_is_told() -> None:
    paths = read("api/v1")["paths"]
    pod = "/api/v1/namespaces/{namespace}/pods/{name}"
    assert set(paths[f"{pod}/log"]["get"]["responses"]["200"]["content"]) == {"text/plain"}
    evicted = paths[f"{pod}/eviction"]["post"]["responses"]
    assert evicted["201"]["content"]["application/json"]["schema"]["$ref"].endswith("v1.Status")
    assert evicted["default"]["content"]["application/json"]["schema"]["$ref"].endswith("v1.Status")
    assert "required" not in paths[pod]["delete"]["requestBody"]
    assert set(paths["/api/v1/componentstatuses"]) == {"get"}


def test_version_two_has_the_same_operations() -> None:
    document = API.v2()
    assert document["swagger"] == "2.0"
    assert references(document) <= {f"#/definitions/{name}" for name in document["definitions"]}
    third = {(path, verb) for name in API.documents for path, verb, _ in operations(read(name))}
    assert {(path, verb) for path, verb, _ in operations(document)} == third
