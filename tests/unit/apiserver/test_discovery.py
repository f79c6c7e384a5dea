"""Discovery follows from the registry."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api.errors import NoSuchResource
from apiserver.endpoints.discovery import Discovery
from apiserver.registry import KINDS
from tests.unit.apiserver.test_http import Wire

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


async def ask(path: str, accept: str = "application/json") -> dict[str, Any]:
    wire = Wire()
    request = wire.request(headers={"accept": accept})
    request.path = path
    await Discovery(KINDS, "10.0.0.1:6443").answer(request)
    assert wire.sent[0]["status"] == 200
    body: dict[str, Any] = orjson.loads(wire.sent[1]["body"])
    return body


async def test_the_old_way() -> None:
    assert (await ask("/api"))["versions"] == ["v1"]
    groups = {group["name"]: group for group in (await ask("/apis"))["groups"]}
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert (await ask("/apis/apps"))["name"] == "apps"
    core = {resource["name"]: resource for resource in (await ask("/api/v1"))["resources"]}
    assert core["pods"]["shortNames"] == ["po"]
    assert core["namespaces"]["namespaced"] is False
    assert core["pods/binding"]["verbs"] == ["create"]
    assert (core["pods/eviction"]["group"], core["pods/eviction"]["kind"]) == ("policy", "Eviction")
    apps = {resource["name"]: resource for resource in (await ask("/apis/apps/v1"))["resources"]}
    assert (apps["deployments/scale"]["group"], apps["deployments/scale"]["kind"]) == ("autoscaling", "Scale")
    assert "deployments/status" in apps


async def test_all_at_once() -> None:
    core, named = await ask("/api", AGGREGATED), await ask("/apis/", AGGREGATED)
    assert (core["kind"], core["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    (version,) = core["items"][0]["versions"]
    pods = next(each for each in version["resources"] if each["resource"] == "pods")
    assert pods["scope"] == "Namespaced"
    assert {"status", "log", "binding", "eviction"} <= {each["subresource"] for each in pods["subresources"]}
    assert {group["metadata"]["name"] for group in named["items"]} >= {"apps", "coordination.k8s.io"}


@pytest.mark.parametrize("path", ["/api/v2", "/apis/none", "/apis/apps/v2", "/apis/none/v1"])
async def test_what_is_not_there(path: str) -> None:
    with pytest.raises(NoSuchResource):
        await ask(path)


async def test_an_older_form_of_the_new_way_is_not_spoken() -> None:
    answer = await ask(
        "/apis", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
    )
    assert answer["kind"] == "APIGroupList"
